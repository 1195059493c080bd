import { conformOn } from "./rfc.ts";

conformOn("node");
