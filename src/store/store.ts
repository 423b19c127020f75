import type { Kysely } from "kysely";
import type { AccountTable } from "./accounts.ts";
import type { DraftTable } from "./drafts.ts";
import type { FetchTable } from "./fetches.ts";
import type { FileCopyTable } from "./file-copies.ts";
import type { FileSumTable } from "./file-sums.ts";
import type { PrincipalTotalTable } from "./principal-totals.ts";
import type { RemovedTorrentTable } from "./removed-torrents.ts";
import type { SettingsTable } from "./settings.ts";
import type { Schema } from "./sqlite/schema.ts";
import type { SwarmTotalTable } from "./swarm-totals.ts";
import type { TorrentVersionTable } from "./torrent-versions.ts";
import type { TorrentTable } from "./torrents.ts";
import type { TransferContentTable } from "./transfer-contents.ts";
import type { TransferTable } from "./transfers.ts";

/** The database itself, for a library with its own tables. */
export type SqlDatabase = Kysely<Schema>;

/** Everything the hub remembers besides content and .torrent files. */
export interface Store {
  readonly db: SqlDatabase;
  readonly accounts: AccountTable;
  readonly torrents: TorrentTable;
  readonly removedTorrents: RemovedTorrentTable;
  readonly drafts: DraftTable;
  readonly fileCopies: FileCopyTable;
  readonly fileSums: FileSumTable;
  readonly fetches: FetchTable;
  readonly settings: SettingsTable;
  readonly swarmTotals: SwarmTotalTable;
  readonly principalTotals: PrincipalTotalTable;
  readonly torrentVersions: TorrentVersionTable;
  readonly transfers: TransferTable;
  readonly transferContents: TransferContentTable;
  close(): Promise<void>;
}
