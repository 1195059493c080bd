import { pairUp } from "./pairs.ts";

pairUp("node");
