import { holdBack } from "./backpressure.ts";

holdBack("node");
