import { ConnectionError } from "../errors.ts";

/** What a page cannot do, and what does it there. */
export function unsupported(text: string): ConnectionError {
  return new ConnectionError("ERR_UNSUPPORTED", text);
}
