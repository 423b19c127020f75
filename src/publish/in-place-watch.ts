import { realFiles } from "./damaged-files.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { FilesFound } from "./content-faults.ts";
import { type ContentLook, lookAtFiles, looksAlike } from "./content-stamp.ts";
import { infoOnDisk } from "./in-place.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** The pause between two rounds. */
const ROUND_MS = 1_500;
/** Rows that are loaded at once. */
const ROWS_AT_ONCE = 64;
/** After this much work, the disk is left alone for three times as long. */
const BURST_MS = 25;
const REST_SHARE = 3;
/**
 * Files whose paths and stamps are kept in memory; for the others only the torrent's stamp is kept, and the rest is
 * read again.
 */
const FILES_KEPT_MAX = 50_000;
/** File systems may record times in steps, and a little late. */
export const STAMP_SLACK_MS = 20;

/** Files that differ from their last comparison with the hashes. */
export interface ContentChange {
  /** Indexes of real files; undefined when it is not known which ones changed. */
  readonly files: ReadonlySet<number> | undefined;
  /** How all of them look now. If they prove to be as published, this stamp is stored. */
  readonly stamp: string;
}

interface InPlaceWatchOptions {
  readonly torrents: Pick<TorrentTable, "inPlaceAfter" | "setStamp">;
  readonly library: TorrentLibrary;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChanged: (torrent: TorrentRow, change: ContentChange) => void;
  readonly report: (torrentId: string, found: FilesFound) => void;
}

/** The last look at one torrent's files. */
interface Seen {
  readonly stamp: string;
  /** Undefined when there are too many of them. */
  readonly kept: { readonly files: readonly WatchedFile[]; readonly look: ContentLook } | undefined;
  round: number;
}

interface WatchedFile {
  readonly path: string;
  readonly length: number;
}

/**
 * Watches files in their owners' folders, all of them every few seconds, because their owners may write to them at
 * any time. Lengths and times tell which files must be compared with their hashes again. The system sets one of these
 * times itself, so replacing a file and restoring its date does not hide the change.
 */
export class InPlaceWatch {
  readonly #options: InPlaceWatchOptions;
  readonly #seen = new Map<string, Seen>();
  #keptFiles = 0;
  #round = 0;
  #timer: Timer | undefined;
  #endRest: () => void = () => undefined;
  #running = false;

  constructor(options: InPlaceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#after(0);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#endRest();
  }

  #after(delayMs: number): void {
    if (!this.#running) return;
    this.#timer = this.#options.clock.startTimer(delayMs, () => {
      this.#lookAtAll()
        .catch((error: unknown) => {
          this.#options.log.warn("what is published in place could not be looked at", {
            why: String(error),
          });
        })
        .finally(() => this.#after(ROUND_MS));
    });
  }

  async #lookAtAll(): Promise<void> {
    const { torrents, clock } = this.#options;
    this.#round += 1;
    let busyMs = 0;
    for (let seq = 0; ;) {
      const rows = await torrents.inPlaceAfter(seq, ROWS_AT_ONCE);
      for (const row of rows) {
        if (!this.#running) return;
        seq = row.seq;
        const beginMs = clock.nowMs();
        await this.#look(row);
        busyMs += clock.nowMs() - beginMs;
        if (busyMs < BURST_MS) continue;
        await this.#rest(busyMs * REST_SHARE);
        busyMs = 0;
      }
      if (rows.length < ROWS_AT_ONCE) break;
    }
    // Torrents that are not published any more.
    for (const [id, { round }] of this.#seen) if (round !== this.#round) this.#forget(id);
  }

  /** Never rejects: one unreadable torrent must not hide the others. */
  async #look(row: TorrentRow): Promise<void> {
    try {
      await this.#lookAt(row);
    } catch (error) {
      this.#options.log.warn("a torrent could not be looked at", {
        id: row.id,
        why: String(error),
      });
    }
  }

  async #lookAt(row: TorrentRow): Promise<void> {
    const { files: disk, report, onChanged } = this.#options;
    const before = this.#seen.get(row.id);
    const files = before?.kept?.files ?? (await this.#filesOf(row));
    if (!files) return report(row.id, { kind: "no-metainfo" });
    const look = await lookAtFiles(
      files.map(({ path }) => path),
      disk,
    );
    this.#remember(row.id, files, look);
    if (look.stamp === before?.stamp) return;
    const lost = new Set<number>();
    for (const [index, { length }] of files.entries()) {
      if (look.files[index]?.size !== length) lost.add(index);
    }
    report(row.id, { kind: "files", lost, fileCount: files.length });
    if (look.stamp === row.content_stamp) return;
    if (await this.#isUntouched(row, look, { isFirst: before === undefined, lost })) return;
    const changed = changedFiles(row, before, look);
    for (const index of lost) changed?.delete(index);
    if (changed?.size !== 0) onChanged(row, { files: changed, stamp: look.stamp });
  }

  /** For rows without stamps: files that nobody has written to since the comparison are unchanged. */
  async #isUntouched(
    row: TorrentRow,
    look: ContentLook,
    { isFirst, lost }: { readonly isFirst: boolean; readonly lost: ReadonlySet<number> },
  ): Promise<boolean> {
    if (row.content_stamp !== null || !isFirst || lost.size > 0) return false;
    if (look.newestMs + STAMP_SLACK_MS > row.checked_at) return false;
    await this.#options.torrents.setStamp(row.id, look.stamp);
    return true;
  }

  #remember(id: string, files: readonly WatchedFile[], look: ContentLook): void {
    this.#forget(id);
    const keep = this.#keptFiles + files.length <= FILES_KEPT_MAX;
    if (keep) this.#keptFiles += files.length;
    this.#seen.set(id, {
      stamp: look.stamp,
      kept: keep ? { files, look } : undefined,
      round: this.#round,
    });
  }

  #forget(id: string): void {
    this.#keptFiles -= this.#seen.get(id)?.kept?.files.length ?? 0;
    this.#seen.delete(id);
  }

  async #filesOf(row: TorrentRow): Promise<readonly WatchedFile[] | undefined> {
    const metainfo = await this.#options.library.load(row);
    if (!metainfo) return undefined;
    return realFiles(infoOnDisk(row, metainfo.info)).map(({ path, length }) => ({
      path: `${row.content_root}/${path.join("/")}`,
      length,
    }));
  }

  async #rest(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endRest = resolve;
      this.#timer = this.#options.clock.startTimer(delayMs, resolve);
    });
  }
}

/** @returns Undefined when the last look was not the one that was compared: everything is then in doubt. */
function changedFiles(
  row: TorrentRow,
  before: Seen | undefined,
  look: ContentLook,
): Set<number> | undefined {
  if (!before?.kept || before.stamp !== row.content_stamp) return undefined;
  const changed = new Set<number>();
  for (const [index, facts] of look.files.entries()) {
    if (!looksAlike(facts, before.kept.look.files[index])) changed.add(index);
  }
  return changed;
}
