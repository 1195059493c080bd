import { pairUp } from "./pairs.ts";

pairUp("bun");
