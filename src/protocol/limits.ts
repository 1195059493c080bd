/** What a connection is held to. The defaults are the same on every runtime. */
export interface Limits {
  /** Most bytes of one message, over all its fragments, 0 to 2^53 (default 67,108,863). Past it the peer gets 1009. */
  readonly maxLength: number;
  /** Most frames of one message, 0 to 2^53 (default 65,536). Past it the peer gets 1008. */
  readonly maxFragments: number;
}

/** The seed's default, `#x3ffffff`. */
export const DEFAULT_MAX_LENGTH = 0x3ffffff;
/** 65,536 fragments of 64 bytes make 4 MiB, which a peer may well send. */
export const DEFAULT_MAX_FRAGMENTS = 65536;
