type Range = readonly [first: number, last: number];

const tail: Range = [0x80, 0xbf];

/** RFC 3629 §4, the grammar: the bytes that each kind of character is made of. */
const characters: readonly (readonly Range[])[] = [
  [[0x00, 0x7f]],
  [[0xc2, 0xdf], tail],
  [[0xe0, 0xe0], [0xa0, 0xbf], tail],
  [[0xe1, 0xec], tail, tail],
  [[0xed, 0xed], [0x80, 0x9f], tail],
  [[0xee, 0xef], tail, tail],
  [[0xf0, 0xf0], [0x90, 0xbf], tail, tail],
  [[0xf1, 0xf3], tail, tail, tail],
  [[0xf4, 0xf4], [0x80, 0x8f], tail, tail],
];

/** What the rest of a character must be: nothing at the boundary between two characters. */
export type Rest = readonly Range[];

export const boundary: Rest = [];

const within = (byte: number, [first, last]: Range): boolean => byte >= first && byte <= last;

/** What is still to come behind `byte`, or undefined when no valid text has it there. */
export function behind(rest: Rest, byte: number): Rest | undefined {
  const [next, ...others] = rest;
  if (next) return within(byte, next) ? others : undefined;
  return characters.find(([first]) => first && within(byte, first))?.slice(1);
}

export type Verdict = "whole" | "cut" | "bad";

/** What a text is that ends with `rest` to come, or that had a bad byte. */
export const verdictOf = (rest: Rest | undefined): Verdict =>
  rest === undefined ? "bad" : rest.length === 0 ? "whole" : "cut";

/** The slow and obvious validator: what the bytes are, and the index of the first byte that no valid text has there. */
export function judge(bytes: Iterable<number>): { verdict: Verdict; badAt: number | undefined } {
  let rest: Rest | undefined = boundary;
  let i = 0;
  for (const byte of bytes) {
    rest = behind(rest, byte);
    if (rest === undefined) return { verdict: "bad", badAt: i };
    i++;
  }
  return { verdict: verdictOf(rest), badAt: undefined };
}

/** Valid texts, with characters of every length and both ends of every range of code points. */
export const validTexts: readonly string[] = [
  "",
  "plain ASCII, of more than sixteen bytes",
  "Zwölf laxe Typen qualmen verdächtig süße Objekte",
  "Ταχίστη αλώπηξ βαφής ψημένη γη",
  "Широкая электрификация южных губерний",
  "עטלף אבק נס דרך מזגן שהתפוצץ",
  "نص حكيم له سر قاطع",
  "ऋषियों को सताने वाले दुष्ट राक्षसों",
  "เป็นมนุษย์สุดประเสริฐ",
  "키스의 고유조건은 입술끼리 만나야 하고",
  "いろはにほへと ちりぬるを",
  "視野無限廣,窗外有藍天",
  "𐍂𐌿𐌽𐌰 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎𠜱𠝹",
  "👍🏽 👩‍👩‍👧 🇺🇳 ok",
  "a\u0000b\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{3ffff}\u{40000}\u{fffff}\u{100000}\u{10ffff}",
];

/** Malformed bytes by name; each is bad wherever it stands between two valid texts, and whatever follows. */
export const malformed: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a lone continuation, lowest", [0x80]],
  ["a lone continuation, highest", [0xbf]],
  ["a continuation too many, behind two bytes", [0xc3, 0xa9, 0x80]],
  ["a continuation too many, behind three bytes", [0xe4, 0xbd, 0xa0, 0x80]],
  ["a continuation too many, behind four bytes", [0xf0, 0x9f, 0x98, 0x80, 0x80]],
  ["an overlong NUL of two bytes", [0xc0, 0x80]],
  ["an overlong slash of two bytes", [0xc0, 0xaf]],
  ["the highest overlong form of two bytes", [0xc1, 0xbf]],
  ["an overlong NUL of three bytes", [0xe0, 0x80, 0x80]],
  ["the highest overlong form of three bytes", [0xe0, 0x9f, 0xbf]],
  ["an overlong NUL of four bytes", [0xf0, 0x80, 0x80, 0x80]],
  ["the highest overlong form of four bytes", [0xf0, 0x8f, 0xbf, 0xbf]],
  ["the lowest high surrogate", [0xed, 0xa0, 0x80]],
  ["the highest high surrogate", [0xed, 0xaf, 0xbf]],
  ["the lowest low surrogate", [0xed, 0xb0, 0x80]],
  ["the highest low surrogate", [0xed, 0xbf, 0xbf]],
  ["a pair of surrogates", [0xed, 0xa1, 0x8c, 0xed, 0xbe, 0xb4]],
  ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
  ["the highest value behind F4", [0xf4, 0xbf, 0xbf, 0xbf]],
  ["the lowest value behind F5", [0xf5, 0x80, 0x80, 0x80]],
  ["F7", [0xf7, 0xbf, 0xbf, 0xbf]],
  ["five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["six bytes", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ["FE", [0xfe]],
  ["FF", [0xff]],
  ["two bytes cut by ASCII", [0xc3, 0x41]],
  ["three bytes cut by ASCII, first", [0xe4, 0x41]],
  ["three bytes cut by ASCII, second", [0xe4, 0xbd, 0x41]],
  ["four bytes cut by ASCII, first", [0xf0, 0x41]],
  ["four bytes cut by ASCII, second", [0xf0, 0x9f, 0x41]],
  ["four bytes cut by ASCII, third", [0xf0, 0x9f, 0x98, 0x41]],
  ["two bytes cut by two bytes", [0xc3, 0xc3, 0xa9]],
  ["three bytes cut by three bytes", [0xe4, 0xbd, 0xe4, 0xbd, 0xa0]],
  ["four bytes cut by four bytes", [0xf0, 0x9f, 0x98, 0xf0, 0x9f, 0x98, 0x80]],
];
