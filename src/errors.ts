export * from "./protocol/errors.ts";
