import { attackOn } from "./on.ts";

attackOn("workerd");
