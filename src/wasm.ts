// The WebAssembly JavaScript API, as far as it is used here: every runtime has it, but no library of types that all of
// them share declares it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

/** Makes an instance of a module without imports that is given in hexadecimal. Throws where the engine does not take it. */
export function instantiate(hex: string): unknown {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
}
