// Captures to begin with: the examples of the standards, and how connections go wrong.
export const samples = [
  {
    name: "A conversation, with a Close at its end",
    text: "> 81 85 37 fa 21 3d 7f 9f 4d 51 58\n< 81 05 48 65 6c 6c 6f\n< 89 02 68 69\n> 8a 82 11 22 33 44 79 4b\n> 88 86 0a 0b 0c 0d 09 e3 6e 74 6f 2a\n< 88 06 03 e8 62 79 65 21",
  },
  {
    name: "Hello, unmasked and masked (RFC 6455 §5.7)",
    text: "< 81 05 48 65 6c 6c 6f\n> 81 85 37 fa 21 3d 7f 9f 4d 51 58",
  },
  {
    name: "A message in fragments, with a Ping between them (§5.4)",
    text: "< 01 03 48 65 6c\n< 89 05 48 65 6c 6c 6f\n< 00 03 6c 6f 2c\n< 80 07 20 77 6f 72 6c 64 21",
  },
  {
    name: "Compressed, the second by the window of the first (RFC 7692 §7.2.3.2)",
    text: "< c1 07 f2 48 cd c9 c9 07 00\n< c1 05 f2 00 11 00 00",
  },
  { name: "Compressed and in two fragments (RFC 7692 §7.2.3.1)", text: "< 41 03 f2 48 cd\n< 80 04 c9 c9 07 00" },
  { name: "A length in 16 bits", text: `< 82 7e 01 00 ${"5a ".repeat(256)}`.trim() },
  {
    name: "Wrong: a client that does not mask (§5.1)",
    text: "> 81 05 48 65 6c 6c 6f\n> 81 85 37 fa 21 3d 7f 9f 4d 51 58",
  },
  { name: "Wrong: a length not in its shortest form (§5.2)", text: "< 82 7e 00 03 01 02 03" },
  { name: "Wrong: RSV1 without an extension (§5.2)", text: "< c1 07 f2 48 cd c9 c9 07 00", deflate: "off" },
  { name: "Wrong: a new message inside an unfinished one (§5.4)", text: "< 01 03 48 65 6c\n< 81 02 6c 6f" },
  { name: "Wrong: text that is not UTF-8, in its second fragment (§8.1)", text: "< 01 02 68 c3\n< 80 02 28 21" },
  { name: "Wrong: a Close frame with 1006 (§7.4.1)", text: "< 88 02 03 ee" },
  { name: "Wrong: no DEFLATE (RFC 7692 §7.2.2)", text: "< c1 02 07 00" },
];
