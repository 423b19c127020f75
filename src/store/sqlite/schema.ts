import type { Generated } from "kysely";
import type { DraftRow } from "../drafts.ts";
import type { FetchRow } from "../fetches.ts";
import type { FileCopyRow } from "../file-copies.ts";
import type { TorrentVersionRow } from "../torrent-versions.ts";
import type { StoredTorrent } from "../torrents.ts";
import type { TransferContent } from "../transfer-contents.ts";
import type { StoredTransfer } from "../transfers.ts";

/** A row that is read-only elsewhere, writable for kysely. */
type Writable<Row> = { -readonly [Column in keyof Row]: Row[Column] };

/** Our tables, as kysely sees them. Times are wall milliseconds, flags 0 or 1. */
export interface Schema {
  torrents: TorrentsTable;
  removed_torrents: RemovedTorrentsTable;
  drafts: DraftsTable;
  file_copies: FileCopiesTable;
  file_sums: FileSumsTable;
  fetches: FetchesTable;
  settings: SettingsTable;
  swarm_totals: SwarmTotalsTable;
  principal_totals: PrincipalTotalsTable;
  torrent_versions: TorrentVersionsTable;
  transfers: TransfersTable;
  transfer_contents: Writable<TransferContent>;
  /** Owned by better-auth; we read the names of people. */
  user: UserTable;
}

interface TorrentsTable extends Writable<StoredTorrent> {
  /** Order of publishing. */
  seq: Generated<number>;
}

interface TransfersTable extends Writable<StoredTransfer> {
  /** Order of adding. */
  seq: Generated<number>;
}

interface RemovedTorrentsTable {
  id: string;
  infohash_v1: Uint8Array | null;
  infohash_v2: Uint8Array | null;
  state: "kept" | "purging" | "gone";
  /** Its row of `torrents`, packed; null once it is gone. */
  torrent: string | null;
  words: string | null;
  publisher_id: string;
  removed_by: string;
  removed_at: number;
}

interface DraftsTable extends Writable<DraftRow> {
  /** JSON; null once published. */
  declaration: string | null;
}

type FileCopiesTable = Writable<FileCopyRow>;

interface FileSumsTable {
  torrent_id: string;
  /** See `publish/file-sums.ts`. */
  sums: Uint8Array;
}

type FetchesTable = Writable<FetchRow>;

interface SettingsTable {
  key: string;
  /** JSON. */
  value: string;
}

interface SwarmTotalsTable {
  /** 20 bytes, as announced. */
  infohash: Uint8Array;
  completed: number;
  /** Bytes. */
  uploaded: number;
  downloaded: number;
}

interface PrincipalTotalsTable {
  kind: "member" | "device";
  /** Id of the account or of the device. */
  id: string;
  /** 20 bytes. */
  infohash: Uint8Array;
  completed: number;
  /** Bytes. */
  uploaded: number;
  downloaded: number;
  seeded_s: number;
}

interface TorrentVersionsTable extends Writable<Omit<TorrentVersionRow, "sequence">> {
  /** 19 digits. */
  sequence: string;
}

interface UserTable {
  id: string;
  name: string;
  username: string | null;
  role: string | null;
}
