import { base64Encode } from "./base64";
import { SCRATCH } from "./layout";
import { SHA1_SCRATCH_SIZE, sha1 } from "./sha1";

const KEY_LENGTH: u32 = 24;
const GUID_LENGTH: u32 = 36;
const DIGEST_SIZE: u32 = 20;

// Behind the part of SCRATCH that sha1 works in.
const TEXT: usize = SCRATCH + SHA1_SCRATCH_SIZE;
const GUID: usize = TEXT + KEY_LENGTH;
const DIGEST: usize = GUID + GUID_LENGTH;

/**
 * Writes the 28 characters of Sec-WebSocket-Accept to `out`, for the 24 characters of Sec-WebSocket-Key at `at`
 * (RFC 6455 §4.2.2, step 5.4).
 */
export function accept(at: usize, out: usize): void {
  for (let i: u32 = 0; i < KEY_LENGTH; i++) store<u8>(TEXT + i, load<u8>(at + i));
  // RFC 6455 §1.3. As words, since one segment of static data would cost the JavaScript build a base64 decoder.
  store<u32>(GUID, 0x45383532, 0); // 258E
  store<u32>(GUID, 0x35414641, 4); // AFA5
  store<u32>(GUID, 0x3139452d, 8); // -E91
  store<u32>(GUID, 0x37342d34, 12); // 4-47
  store<u32>(GUID, 0x392d4144, 16); // DA-9
  store<u32>(GUID, 0x2d414335, 20); // 5CA-
  store<u32>(GUID, 0x42413543, 24); // C5AB
  store<u32>(GUID, 0x38434430, 28); // 0DC8
  store<u32>(GUID, 0x31314235, 32); // 5B11
  sha1(TEXT, KEY_LENGTH + GUID_LENGTH, DIGEST);
  base64Encode(DIGEST, DIGEST_SIZE, out);
}
