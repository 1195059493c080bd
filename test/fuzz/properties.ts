import { decoder } from "./decoder.ts";
import { driver } from "./driver.ts";
import { head, linear } from "./head.ts";
import { inflate, spoilt } from "./inflate.ts";
import { extensions, subprotocols } from "./negotiation.ts";
import type { Property } from "./property.ts";
import { protocol } from "./protocol.ts";
import { besideWs } from "./ws.ts";

export const properties: readonly Property[] = [
  decoder,
  head,
  linear,
  extensions,
  subprotocols,
  protocol,
  besideWs,
  driver,
  inflate,
  spoilt,
];
