import { serveSlowConsumers } from "./slow-consumers.ts";

serveSlowConsumers("deno");
