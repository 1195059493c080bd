/**
 * Which pages may connect. Browsers let any page open a WebSocket to any server, with the user's cookies, and say in the
 * Origin field whose page it is (RFC 6455 §4.1, §10.2).
 *
 * @module
 */
import { must, type Check } from "./options.ts";
import type { OpeningRequest } from "./server-handshake.ts";

/** `same`: those of the host that the request names; `any`; or those of these origins, as `https://example.com`. */
export type OriginPolicy = "same" | "any" | readonly string[];

const isOrigin = (value: unknown): boolean =>
  typeof value === "string" && (value === "null" || /^[a-z][a-z0-9+.-]*:\/\/[^/?#*\s]+$/.test(value));

export const originPolicy: Check = must(
  '"same", "any", or a list of origins in lower case, such as "https://example.com"',
  (value) => value === "same" || value === "any" || (Array.isArray(value) && value.every(isOrigin)),
);

/** Whether the policy lets this request in. One without an Origin field comes from no page. */
export function allowsOrigin(
  policy: OriginPolicy,
  { headers, host }: Pick<OpeningRequest, "headers" | "host">,
): boolean {
  const origin = headers.get("origin");
  if (policy === "any" || origin === undefined) return true;
  if (policy !== "same") return policy.includes(origin);
  // By the host alone: behind a proxy that speaks TLS, a server does not know the scheme.
  try {
    const page = new URL(origin);
    return /^https?:$/.test(page.protocol) && page.host === new URL(`${page.protocol}//${host}`).host;
  } catch {
    return false;
  }
}
