import { generate, type GenerateResult } from "selfsigned";

type Authority = Pick<GenerateResult, "private" | "cert">;

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** The certificate of the authority that signed {@link server}, {@link elsewhere} and {@link client}. */
  readonly ca: string;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Identity;
  /** For another name than these. */
  readonly elsewhere: Identity;
  readonly client: Identity;
  /** For localhost and the addresses, by an authority that nobody trusts. */
  readonly unknown: Identity;
  /** For a client, by the same. */
  readonly unknownClient: Identity;
}

const here = [
  { type: 2, value: "localhost" },
  { type: 7, ip: "127.0.0.1" },
  { type: 7, ip: "::1" },
] as const;

function authority(name: string): Promise<Authority> {
  return generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
}

async function identity(
  by: Authority,
  use: "serverAuth" | "clientAuth",
  names: readonly { type: 2 | 7; value?: string; ip?: string }[],
): Promise<Identity> {
  const made = await generate([{ name: "commonName", value: "hybi test" }], {
    keyType: "ec",
    algorithm: "sha256",
    ca: { key: by.private, cert: by.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", [use]: true },
      { name: "subjectAltName", altNames: [...names] },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Fresh ones: nothing in the repository is a key, and nothing expires. */
export async function certificates(): Promise<Certificates> {
  const [trusted, stranger] = await Promise.all([authority("hybi test CA"), authority("a stranger")]);
  const [server, elsewhere, client, unknown, unknownClient] = await Promise.all([
    identity(trusted, "serverAuth", here),
    identity(trusted, "serverAuth", [{ type: 2, value: "elsewhere.example" }]),
    identity(trusted, "clientAuth", [{ type: 2, value: "client.example" }]),
    identity(stranger, "serverAuth", here),
    identity(stranger, "clientAuth", [{ type: 2, value: "client.example" }]),
  ]);
  return { ca: trusted.cert, server, elsewhere, client, unknown, unknownClient };
}
