import { unsupported } from "./unsupported.ts";

const HERE = 'A page takes no connections: over pairs of streams of your own, use "hybi/streams".';

/** There is none in a page. */
export class Server {
  /** @throws {ConnectionError} ERR_UNSUPPORTED */
  constructor() {
    throw unsupported(HERE);
  }
}

/** There is none in a page. */
export class ServerConnection {
  /** @throws {ConnectionError} ERR_UNSUPPORTED */
  constructor() {
    throw unsupported(HERE);
  }
}
