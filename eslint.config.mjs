import js from "@eslint/js";
import globals from "globals";
import tseslint from "typescript-eslint";

// The core is pure: time, chance and sockets are handed in.
const platform = ["Buffer", "process", "crypto", "setTimeout", "setInterval", "setImmediate", "queueMicrotask"];
platform.push("performance", "fetch", "Date", "console", "WebSocket");

export default tseslint.config(
  { ignores: ["build/", "dist/", "coverage/", "assembly/**/*.ts"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-extraneous-class": ["error", { allowConstructorOnly: true }],
      // Linear memory is indexed where the code knows the bounds; the compiler's unchecked-index rule wants this mark.
      "@typescript-eslint/no-non-null-assertion": "off",
      // A header's name, an opcode: both come as a number or a string on purpose.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "no-control-regex": "off",
    },
  },
  {
    files: ["test/**", "e2e/**"],
    rules: {
      // What comes out of events, mocks and `expect.any` is an any; and tests take strings apart on purpose.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-misused-spread": "off",
    },
  },
  {
    files: ["src/codec/**", "src/deflate/**", "src/protocol/**", "src/driver/**"],
    rules: { "no-restricted-globals": ["error", ...platform] },
  },
  {
    files: ["src/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.property.name='slice'][arguments.length=0]",
          message: "Of a Buffer it is a view: copy by `new Uint8Array(bytes)`, or `[...array]`.",
        },
      ],
    },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { ...globals.node, ...globals.es2023 } },
  },
  {
    files: ["examples/inspector/**", "e2e/pages/**"],
    languageOptions: { globals: { ...globals.browser, ...globals.worker } },
  },
);
