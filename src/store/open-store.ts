import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import { invariant } from "../base/errors.ts";
import { SqliteAccountTable } from "./sqlite/accounts.ts";
import { SqliteDraftTable } from "./sqlite/drafts.ts";
import { SqliteFetchTable } from "./sqlite/fetches.ts";
import { SqliteFileCopyTable } from "./sqlite/file-copies.ts";
import { SqliteFileSumTable } from "./sqlite/file-sums.ts";
import { MIGRATIONS } from "./sqlite/migrations/all.ts";
import { SqlitePrincipalTotalTable } from "./sqlite/principal-totals.ts";
import { SqliteRemovedTorrentTable } from "./sqlite/removed-torrents.ts";
import type { Schema } from "./sqlite/schema.ts";
import { SqliteSettingsTable } from "./sqlite/settings.ts";
import { SqliteFile } from "./sqlite/sqlite-database.ts";
import { SqliteSwarmTotalTable } from "./sqlite/swarm-totals.ts";
import { SqliteTorrentVersionTable } from "./sqlite/torrent-versions.ts";
import { SqliteTorrentTable } from "./sqlite/torrents.ts";
import { SqliteTransferContentTable } from "./sqlite/transfer-contents.ts";
import { SqliteTransferTable } from "./sqlite/transfers.ts";
import type { Store } from "./store.ts";
import { StoreError, storeErrorCode } from "./store-error.ts";

const MIGRATION_TABLE = "schema_migrations";

interface OpenOptions {
  readonly asItIs?: boolean | undefined;
  readonly lastStep?: string;
}

/**
 * Opens the database, and creates or migrates it as needed.
 *
 * @param path - File, or `:memory:`.
 * @param options.asItIs - Another program uses the database, so its schema must not be changed.
 * @param options.lastStep - Stops at an older schema, for tests of later steps.
 * @throws {StoreError} (rejects) When the file is damaged, newer than this program, or not writable.
 */
export async function openStore(path: string, options: OpenOptions = {}): Promise<Store> {
  const database = openDatabase(path);
  const db = new Kysely<Schema>({
    dialect: new SqliteDialect({ database: new SqliteFile(database) }),
  });
  try {
    await migrate(db, database, options);
  } catch (error) {
    database.close();
    throw refusal(error, path);
  }
  const torrents = new SqliteTorrentTable(db, database);
  return {
    db,
    accounts: new SqliteAccountTable(db),
    torrents,
    removedTorrents: new SqliteRemovedTorrentTable(db, (more) => torrents.handleChange(more)),
    drafts: new SqliteDraftTable(db),
    fileCopies: new SqliteFileCopyTable(db),
    fileSums: new SqliteFileSumTable(db),
    fetches: new SqliteFetchTable(db),
    settings: new SqliteSettingsTable(db),
    swarmTotals: new SqliteSwarmTotalTable(db, database),
    principalTotals: new SqlitePrincipalTotalTable(db, database),
    torrentVersions: new SqliteTorrentVersionTable(db),
    transfers: new SqliteTransferTable(db, database),
    transferContents: new SqliteTransferContentTable(db),
    close: () => db.destroy(),
  };
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Created for its owner only; SQLite gives the files beside it the same permissions (CLI-3).
    if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path);
    // The log is synced at every commit (FULL): a publication that we confirmed survives a power cut a moment later.
    // Commits are rare, and announces never wait for one.
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma busy_timeout = 5000;
    `);
    return database;
  } catch (error) {
    database?.close();
    throw refusal(error, path);
  }
}

async function migrate(
  db: Kysely<Schema>,
  database: DatabaseSync,
  { lastStep, asItIs = false }: OpenOptions,
): Promise<void> {
  const applied = appliedMigrations(database);
  const unknown = applied.find((name) => !(name in MIGRATIONS));
  if (unknown) throw new StoreError("newer-schema", `the database has step ${unknown}`);
  if (applied.length === Object.keys(MIGRATIONS).length) return;
  if (asItIs) throw new StoreError("older-schema", "steps are missing that a hub here would take");
  const { Migrator } = await import("kysely/migration");
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: `${MIGRATION_TABLE}_lock`,
    // Steps developed in parallel may run in any order; each leaves the others alone.
    allowUnorderedMigrations: true,
  });
  const { error } = await (lastStep === undefined
    ? migrator.migrateToLatest()
    : migrator.migrateTo(lastStep));
  if (error instanceof Error) throw error;
  invariant(error === undefined, "migrations throw errors");
}

function appliedMigrations(database: DatabaseSync): string[] {
  const tables = database.prepare("select 1 from sqlite_master where type = 'table' and name = ?");
  if (!tables.get(MIGRATION_TABLE)) return [];
  const rows = database.prepare(`select name from ${MIGRATION_TABLE}`).all();
  return rows.map((row) => String(row["name"]));
}

function refusal(error: unknown, path: string): unknown {
  const code = storeErrorCode(error);
  if (!code || !(error instanceof Error) || error instanceof StoreError) return error;
  return new StoreError(code, `${path}: ${error.message}`, { cause: error });
}
