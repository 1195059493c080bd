import type { CodecBuild } from "../../src/codec/builds.ts";
import { Codec } from "../../src/codec/codec.ts";

export const buildNames: readonly CodecBuild[] = ["simd", "scalar", "javascript"];

/** The host's codec over each build. */
export const codecs: readonly Codec[] = buildNames.map((build) => new Codec(build));

/** For `describe.each`: each build by its name. */
export const eachBuild = codecs.map((codec) => ({ build: codec.build, codec }));
