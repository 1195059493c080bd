import { holdBack } from "./backpressure.ts";

holdBack("bun");
