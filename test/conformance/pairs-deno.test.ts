import { pairUp } from "./pairs.ts";

pairUp("deno");
