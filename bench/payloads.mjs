// What the loads send: the same bytes in every run.
import { Buffer } from "node:buffer";
import { chance } from "./corpus.mjs";

const ascii =
  "The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore, and he buys 1,000 of them for $5. " +
  "How much wood would a woodchuck chuck? As much as it could! ";

const languages = [
  "Die süße Hündin läuft über die große Brücke. ",
  "Voilà l’été : un garçon naïf rêve déjà d’être aimé, là-bas, où la forêt s’arrête. ",
  "El niño pequeño comió piña mañana, ¿verdad? ¡Sí, señor! ",
  "Zażółć gęślą jaźń, powiedział król. Příliš žluťoučký kůň úpěl ďábelské ódy. ",
  "Съешь же ещё этих мягких французских булок, да выпей чаю. ",
  "Щастям б’єш жук їх глицю в фон й ґедзь пріч. ",
  "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, είπε ο γέρος. ",
  "いろはにほへと ちりぬるを。色は匂へど、散りぬるを。今日は良い天気ですね。 ",
  "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。今天我们去公园散步。 ",
  "다람쥐 헌 쳇바퀴에 타고파. 안녕하세요, 반갑습니다. ",
  "See you at 7 😀 🚀! Bring the kids 👩‍👧 and some 🍕, ok? 🎉🎉 ",
];

/** Text of this many bytes; what would be half a character at its end is filled up with dots. */
function text(sentences, size, from) {
  let bytes = Buffer.alloc(0);
  for (let i = from; bytes.length < size; i++)
    bytes = Buffer.concat([bytes, Buffer.from(sentences[i % sentences.length])]);
  let end = size;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return Buffer.concat([bytes.subarray(0, end), Buffer.alloc(size - end, ".")]);
}

const words = ascii.split(/(?<= )/);

/** Of each kind, `size` bytes that differ with `from`. */
export const payloads = {
  ascii: (size, from) => text(words, size, from),
  languages: (size, from) => text(languages, size, from),
  binary: (size, from) => Buffer.from(chance(from + 1).bytes(size)),
};

/** Whether messages of the kind are text. */
export const isText = (kind) => kind !== "binary";
