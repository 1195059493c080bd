import { conformOn } from "./rfc.ts";

conformOn("bun");
