import { conformOn } from "./rfc.ts";

conformOn("workerd");
