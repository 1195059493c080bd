/** Strings by way of Bun's `Buffer`, whose shortcuts are not documented, and by the standard's way there. */
import assert from "node:assert/strict";
import { standardText, type TextCodecFactory } from "../../../../src/codec/text.ts";
import { host } from "../../../../src/hosts/bun.ts";
import { checkTexts } from "../../text-cases.ts";
import { run } from "./cases.ts";

const readAndWritten = (make: TextCodecFactory): Promise<void> => {
  checkTexts(make);
  return Promise.resolve();
};

await run({
  "they are written and read by the shortcuts": () => readAndWritten(host.text!),

  "and by the standard's way": () => readAndWritten(standardText),

  "they are shortcuts indeed": () => {
    for (const name of ["latin1Slice", "ucs2Slice", "utf8Slice", "utf8Write"])
      assert.equal(typeof (Buffer.prototype as unknown as Record<string, unknown>)[name], "function");
    return Promise.resolve();
  },
});
