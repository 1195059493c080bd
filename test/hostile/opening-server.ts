import type { Table } from "./arena.ts";
import type { RowName } from "./rows.ts";
import { fields } from "./server-fields.ts";
import { moments } from "./server-moments.ts";
import { requests } from "./server-requests.ts";

export const table: Table<RowName<"Opening handshake, as a server">> = { ...requests, ...fields, ...moments };
