import type { Section } from "../case.ts";
import { sections as close } from "./close.ts";
import { sections as deflate } from "./deflate.ts";
import { sections as firstByte } from "./first-byte.ts";
import { sections as fragmentation } from "./fragmentation.ts";
import { sections as framing } from "./framing.ts";
import { sections as limits } from "./limits.ts";
import { sections as pings } from "./pings.ts";
import { sections as utf8 } from "./utf8.ts";

/** What an open connection makes of what its peer sends, by RFC 6455 §5 to §8, RFC 7692 and this project's limits. */
export const sections: readonly Section[] = [
  ...framing,
  ...firstByte,
  ...fragmentation,
  ...pings,
  ...close,
  ...utf8,
  ...limits,
  ...deflate,
];
