import { attackOn } from "./on.ts";

attackOn("node");
