export { host } from "./streams.ts";
