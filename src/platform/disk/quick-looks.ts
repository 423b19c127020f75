import type { Stats } from "node:fs";
import { stat as statFile } from "node:fs/promises";
import { safeJoin, UnsafePathError } from "../../base/safe-join.ts";
import { STAMP_NUMBERS } from "./disk-job.ts";
import { systemCode } from "./disk-refusal.ts";
import type { LayoutTable } from "./shared-layout.ts";

/** More files are a worker's job: each costs a turn of the event loop here. */
const FILES_MAX = 32;
/** Looks that wait for the one under way; a node wakes a hundred seeds when it starts. */
const WAITING_MAX = 256;
/** One that takes longer is on a disk that hangs: those that wait become workers' jobs. */
const WAIT_MS = 1_000;

/**
 * Looks at the few files of a small seed without a worker. A worker costs 30 ms of CPU and 10 MiB, and a seed of which
 * nobody wants anything needs none.
 */
export class QuickLooks {
  /** One at a time: a disk that hangs takes one of the few threads that also read files and look up names. */
  #looking: Promise<void> | undefined;
  #waiting = 0;
  readonly #stat: (path: string) => Promise<Stats>;
  readonly #waitMs: number;

  constructor(options: { stat?: (path: string) => Promise<Stats>; waitMs?: number } = {}) {
    this.#stat = options.stat ?? ((path) => statFile(path));
    this.#waitMs = options.waitMs ?? WAIT_MS;
  }

  /**
   * @returns The numbers of `stampFiles`; `undefined` when a worker has to look, because there is more to see than plain
   * files in their places.
   */
  async stamp(table: LayoutTable): Promise<Float64Array | undefined> {
    const { fileCount, readOnly, throughLinks, unfinishedSuffix } = table.shared;
    const isPlain = readOnly && throughLinks && unfinishedSuffix === undefined;
    if (!isPlain || fileCount > FILES_MAX) return undefined;
    if (this.#looking && !(await this.#isFree(this.#looking))) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#looking = promise;
    try {
      return await lookAtAll(table, this.#stat);
    } catch (error) {
      if (error instanceof UnsafePathError || systemCode(error) !== undefined) return undefined;
      throw error;
    } finally {
      this.#looking = undefined;
      resolve();
    }
  }

  /** Waits until no look is under way. @returns False when that takes too long. */
  async #isFree(looking: Promise<void>): Promise<boolean> {
    if (this.#waiting >= WAITING_MAX) return false;
    this.#waiting += 1;
    try {
      for (let next: Promise<void> | undefined = looking; next; next = this.#looking) {
        if (!(await endsWithin(next, this.#waitMs))) return false;
      }
      return true;
    } finally {
      this.#waiting -= 1;
    }
  }
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  void work.then(() => resolve(true));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function lookAtAll(
  table: LayoutTable,
  stat: (path: string) => Promise<Stats>,
): Promise<Float64Array | undefined> {
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
