import { host } from "#host";
import { capabilitiesOf, type Capabilities } from "./driver/capabilities.ts";

/** What can be done here, to be asked before it is done. */
export const capabilities: Capabilities = /* @__PURE__ */ capabilitiesOf(host);
