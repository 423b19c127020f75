import type { Kysely } from "kysely";
import type { FileCopyRow, FileCopyTable } from "../file-copies.ts";
import type { Schema } from "./schema.ts";

export class SqliteFileCopyTable implements FileCopyTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** Paths of files that look the same. */
  async alike(looks: Pick<FileCopyRow, "size" | "sample">, countMax: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("file_copies")
      .select("path")
      .where("size", "=", looks.size)
      .where("sample", "=", looks.sample)
      .limit(countMax)
      .execute();
    return rows.map(({ path }) => path);
  }

  async put(row: FileCopyRow): Promise<void> {
    await this.#db.replaceInto("file_copies").values(row).execute();
  }

  /** Forgets what lies below a folder. */
  async deleteBelow(folder: string): Promise<void> {
    await this.#db
      .deleteFrom("file_copies")
      .where("path", ">", `${folder}/`)
      // "0" is the character after "/".
      .where("path", "<", `${folder}0`)
      .execute();
  }

  /** Forgets files that are gone, or do not look like this any more. */
  async delete(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    await this.#db.deleteFrom("file_copies").where("path", "in", paths).execute();
  }
}
