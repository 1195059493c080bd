import { conformOn } from "./rfc.ts";

conformOn("deno");
