import { attackOn } from "./on.ts";

attackOn("bun");
