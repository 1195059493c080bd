// What all checks need: bytes as they stand in the vectors, cut, and compared.
export const bytesOf = (base64) => bytesOfLatin1(atob(base64));

/** The bytes of a string that has one character for each. */
export function bytesOfLatin1(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes as a string of one character each. */
export function latin1(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
  return text;
}

export const base64 = (bytes) => btoa(latin1(bytes));

/** The bytes whole, and cut into pieces. */
export function* cuts(bytes) {
  const sizes = bytes.length < 400 ? [bytes.length || 1, 1, 7] : [bytes.length, 331];
  for (const size of sizes) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    yield pieces;
  }
}

/** Throws unless both are the same in JSON. */
export function same(actual, expected) {
  if (isSame(actual, expected)) return;
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  throw new Error(`${is.slice(0, 300)} where ${should.slice(0, 300)} should be`);
}

function isSame(actual, expected) {
  if (actual === expected || (actual ?? null) === (expected ?? null)) return true;
  if (typeof actual !== "object" || typeof expected !== "object" || !actual || !expected) return false;
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  for (const key in actual) if (!isSame(actual[key], expected[key])) return false;
  for (const key in expected) if (!(key in actual) && !isSame(undefined, expected[key])) return false;
  return true;
}
