// The ABI of DEFLATE: integers in, integers out. Offsets are into the exported memory.
export { deflate, deflateOpen, deflateSlide } from "./deflate";
export { inflate, inflateOpen, inflateSlide } from "./inflate";
