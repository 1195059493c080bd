import { pairUp } from "./pairs.ts";

pairUp("ws");
