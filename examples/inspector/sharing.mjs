// A capture in the fragment of a URL: nothing of it is sent to a server.
import { deflate, inflate } from "hybi/deflate";
import { fromBase64, toBase64Url } from "./input.mjs";

/** Bytes that a shared capture may come to. */
const MOST = 4_000_000;

/** `text`, and how it is read: `by`, `deflate`, and `frame`, the number of the one that is selected, from 1. */
export function toFragment({ text, ...rest }) {
  const capture = toBase64Url(deflate(new TextEncoder().encode(text)));
  return `#${new URLSearchParams({ capture, ...rest })}`;
}

/** What {@link toFragment} was given; undefined when the fragment is none of these. Throws for one that is damaged. */
export function fromFragment(fragment) {
  const { capture, ...rest } = Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, "")));
  if (capture === undefined) return undefined;
  try {
    return { text: new TextDecoder().decode(inflate(fromBase64(capture), { maxLength: MOST })), ...rest };
  } catch (cause) {
    throw new Error("The capture in this link is damaged: was the link cut?", { cause });
  }
}
