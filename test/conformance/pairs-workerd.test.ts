import { pairUp } from "./pairs.ts";

pairUp("workerd");
