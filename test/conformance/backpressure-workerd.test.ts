import { holdBack } from "./backpressure.ts";

holdBack("workerd");
