// A certificate for the servers that listen with TLS, made anew each time.
import { generate } from "selfsigned";

export async function certificate() {
  const made = await generate([{ name: "commonName", value: "127.0.0.1" }], { keyType: "ec", algorithm: "sha256" });
  return { cert: made.cert, key: made.private };
}
