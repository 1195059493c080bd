import { table as frames } from "./frames.ts";
import { table as misuse } from "./misuse.ts";
import { table as openingClient } from "./opening-client.ts";
import { table as openingServer } from "./opening-server.ts";
import type { Table } from "./arena.ts";
import type { RowName, TableName } from "./rows.ts";

export const tables: { readonly [Name in TableName]: Table<RowName<Name>> } = {
  "Opening handshake, as a server": openingServer,
  "Opening handshake, as a client": openingClient,
  Frames: frames,
  "Misuse of the API": misuse,
};
