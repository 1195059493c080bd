import { attackOn } from "./on.ts";

attackOn("deno");
