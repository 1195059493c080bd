import { holdBack } from "./backpressure.ts";

holdBack("deno");
