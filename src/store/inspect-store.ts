import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "./sqlite/migrations/all.ts";
import { StoreError, storeErrorCode } from "./store-error.ts";

/** Examining reads every page: of a larger database only its schema is read. */
const EXAMINED_BYTES_MAX = 512 * 1024 * 1024;

export interface StoreFacts {
  readonly bytes: number;
  /** Whether every page was read. */
  readonly isExamined: boolean;
  /** An older schema is brought up to date at the next start. */
  readonly isOlder: boolean;
}

/**
 * Examines a database without changing it, also while another process uses it.
 *
 * @throws {StoreError} When it is damaged, or newer than this program.
 */
export function inspectStore(path: string): StoreFacts {
  const bytes = statSync(path).size;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const names = database
      .prepare("select name from schema_migrations")
      .all()
      .map((row) => String(row["name"]));
    const unknown = names.find((name) => !(name in MIGRATIONS));
    if (unknown !== undefined) {
      throw new StoreError("newer-schema", `the database has step ${unknown}`);
    }
    const isExamined = bytes <= EXAMINED_BYTES_MAX;
    if (isExamined) {
      const [first] = database.prepare("pragma quick_check(1)").all();
      const said = String(first?.["quick_check"]);
      if (said !== "ok") throw new StoreError("unreadable", `${path}: ${said}`);
    }
    return { bytes, isExamined, isOlder: names.length < Object.keys(MIGRATIONS).length };
  } catch (error) {
    const code = storeErrorCode(error);
    if (error instanceof StoreError || !code || !(error instanceof Error)) throw error;
    throw new StoreError(code, `${path}: ${error.message}`, { cause: error });
  } finally {
    database?.close();
  }
}
