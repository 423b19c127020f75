import { stat } from "node:fs/promises";
import { safeJoin, UnsafePathError } from "../../base/safe-join.ts";
import { STAMP_NUMBERS } from "./disk-job.ts";
import { systemCode } from "./disk-refusal.ts";
import type { LayoutTable } from "./shared-layout.ts";

/** More files are a worker's job: each costs a turn of the event loop here. */
const FILES_MAX = 32;

/**
 * Looks at the few files of a small seed without a worker. A worker costs 30 ms of CPU and 10 MiB, and a seed of which
 * nobody wants anything needs none.
 */
export class QuickLooks {
  /** One at a time: a disk that hangs takes one of the few threads that also read files and look up names. */
  #isLooking = false;

  /**
   * @returns The numbers of `stampFiles`; `undefined` when a worker has to look, because there is more to see than plain
   * files in their places.
   */
  async stamp(table: LayoutTable): Promise<Float64Array | undefined> {
    const { fileCount, readOnly, throughLinks, unfinishedSuffix } = table.shared;
    const isPlain = readOnly && throughLinks && unfinishedSuffix === undefined;
    if (!isPlain || fileCount > FILES_MAX || this.#isLooking) return undefined;
    this.#isLooking = true;
    try {
      return await lookAtAll(table);
    } catch (error) {
      if (error instanceof UnsafePathError || systemCode(error) !== undefined) return undefined;
      throw error;
    } finally {
      this.#isLooking = false;
    }
  }
}

async function lookAtAll(table: LayoutTable): Promise<Float64Array | undefined> {
  const { fileCount, root, rootDevice } = table.shared;
  const { dev } = await stat(root);
  if (rootDevice[0] !== 0 && rootDevice[0] !== dev) return undefined;
  const stamps = new Float64Array(fileCount * STAMP_NUMBERS);
  for (let file = 0; file < fileCount; file += 1) {
    const at = file * STAMP_NUMBERS;
    stamps[at] = -1;
    if (table.isPad(file)) continue;
    const facts = await stat(safeJoin(root, table.path(file).split("/")));
    if (!facts.isFile()) return undefined;
    stamps.set([facts.size, facts.mtimeMs, facts.ino], at);
  }
  rootDevice[0] = dev;
  return stamps;
}
