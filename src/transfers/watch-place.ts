import { decodeUtf8 } from "../base/bytes.ts";
import { EverseedError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";
import type { Clock } from "../ports/clock.ts";
import type { DropFolder, DroppedFile } from "../ports/drop-folder.ts";
import type { Log } from "../ports/log.ts";
import type { AddOutcome, GivenTorrent } from "./transfer-adding.ts";
import { readLink } from "./transfer-source.ts";
import { TORRENT_FILE_BYTES_MAX } from "./transfer-shelf.ts";
import type { Transfers } from "./transfers.ts";
import { TransfersError } from "./transfers-error.ts";
import type { WatchFolder } from "./watch-folder.ts";

/** Files that one look considers; the next look finds the others. */
const FILES_MAX = 10_000;
/** Files that are added at one time: others get their turn in between. */
const BATCH = 100;
const BATCH_BYTES_MAX = 64 * 1024 * 1024;
/** A file is whole when nothing about it has changed for so long. */
const STABLE_MS = 2_000;
/** A file that is no torrent after this time will not become one by itself. */
const BROKEN_MS = 30_000;
const MAGNET_FILE_BYTES_MAX = 1024 * 1024;
/** Troubles that are kept for the owner. */
const TROUBLES_MAX = 100;

/** A file that was not taken, and why, in words. */
export interface WatchTrouble {
  readonly name: string;
  readonly why: string;
}

/** How a watch folder is doing. */
export interface WatchedFolder {
  readonly folder: string;
  /** Why nothing is taken from it now; `undefined` while all is well. */
  readonly trouble: string | undefined;
  /** Files taken since the start. */
  readonly taken: number;
  /** Files that stay where they are. */
  readonly files: readonly WatchTrouble[];
}

interface Note {
  readonly size: number;
  readonly mtimeMs: number;
  /** Since when it has been so. */
  readonly sinceMs: number;
  /** Nothing more is done about it, until it changes. */
  isSettled: boolean;
}

export interface WatchPlaceParts {
  readonly folder: string;
  readonly files: DropFolder;
  readonly transfers: Pick<Transfers, "addAll">;
  readonly clock: Clock;
  readonly log: Log;
}

/** One watch folder: which of its files are whole, taken or broken. */
export class WatchPlace {
  readonly #parts: WatchPlaceParts;
  readonly #notes = new Map<string, Note>();
  readonly #troubles = new Map<string, string>();
  #trouble: string | undefined;
  #taken = 0;

  constructor(parts: WatchPlaceParts) {
    this.#parts = parts;
  }

  status(): WatchedFolder {
    const files = [...this.#troubles]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, TROUBLES_MAX)
      .map(([name, why]) => ({ name, why }));
    return { folder: this.#parts.folder, trouble: this.#trouble, taken: this.#taken, files };
  }

  close(): void {
    this.#parts.files.close();
  }

  /** @returns True when it should be looked at again soon. Never rejects. */
  async look(how: WatchFolder, isStopped: () => boolean): Promise<boolean> {
    try {
      const found = await this.#parts.files.list(isTaken, FILES_MAX);
      this.#forget(found);
      const whole = found.filter((file) => this.#isWhole(file));
      for (let begin = 0; begin < whole.length && !isStopped();) {
        begin += await this.#take(whole.slice(begin, begin + BATCH), how);
      }
      this.#tell(undefined);
      const nowMs = this.#parts.clock.nowMs();
      return [...this.#notes.values()].some(
        ({ isSettled, sinceMs }) => !isSettled && nowMs - sinceMs < BROKEN_MS,
      );
    } catch (error) {
      this.#tell(wordsOf(error));
      return false;
    }
  }

  /** Of files that are gone. */
  #forget(found: readonly DroppedFile[]): void {
    const names = new Set(found.map(({ name }) => name));
    for (const name of this.#notes.keys()) {
      if (names.has(name)) continue;
      this.#notes.delete(name);
      this.#troubles.delete(name);
    }
  }

  #isWhole({ name, size, mtimeMs }: DroppedFile): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const note = this.#notes.get(name);
    if (note?.size === size && note.mtimeMs === mtimeMs) {
      return !note.isSettled && nowMs - note.sinceMs >= STABLE_MS;
    }
    this.#troubles.delete(name);
    this.#notes.set(name, { size, mtimeMs, sinceMs: nowMs, isSettled: false });
    return false;
  }

  /** @returns How many of the files it dealt with. */
  async #take(files: readonly DroppedFile[], how: WatchFolder): Promise<number> {
    const given: { readonly name: string; readonly torrent: GivenTorrent }[] = [];
    let bytes = 0;
    let count = 0;
    for (const { name, size } of files) {
      if (count > 0 && bytes + size > BATCH_BYTES_MAX) break;
      count += 1;
      bytes += size;
      try {
        for (const torrent of await this.#read(name)) given.push({ name, torrent });
      } catch (error) {
        this.#refuse(name, error);
      }
    }
    const { label, into: root, stopped } = how;
    const torrents = given.map(({ torrent }) => torrent);
    const outcomes = await this.#parts.transfers.addAll(torrents, { label, root, stopped });
    for (const name of new Set(given.map((each) => each.name))) {
      const own = outcomes.filter((_, index) => given[index]!.name === name);
      const refused = own.find((outcome) => outcome.kind === "refused");
      if (refused) this.#refuse(name, refused.error);
      else await this.#finish(name, own, how);
    }
    return count;
  }

  async #read(name: string): Promise<readonly GivenTorrent[]> {
    const { files } = this.#parts;
    const isMagnet = /\.magnet$/i.test(name);
    const bytesMax = isMagnet ? MAGNET_FILE_BYTES_MAX : TORRENT_FILE_BYTES_MAX;
    const bytes = await files.read(name, bytesMax);
    if (!bytes) throw new TransfersError("bad-source", `It has more than ${bytesMax} bytes.`);
    if (!isMagnet) return [{ torrent: bytes }];
    const links = decodeUtf8(bytes)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    if (links.length === 0) throw new TransfersError("bad-source", "It holds no magnet link.");
    // One wrong link, and none of the file is taken.
    for (const link of links) readLink(link);
    return links.map((link) => ({ link }));
  }

  async #finish(name: string, outcomes: readonly AddOutcome[], how: WatchFolder): Promise<void> {
    const { files, folder, log } = this.#parts;
    const ids = outcomes.flatMap((outcome) => (outcome.kind === "refused" ? [] : [outcome.id]));
    const isNew = outcomes.some(({ kind }) => kind === "added");
    log.info(isNew ? "a file of a watch folder was added" : "a file of a watch folder is here", {
      folder,
      name,
      ids,
    });
    this.#taken += 1;
    try {
      if (how.taken === "delete") await files.remove(name);
      else await files.setAside(name, "added");
      this.#notes.delete(name);
      this.#troubles.delete(name);
    } catch (error) {
      this.#settle(name, `it was added, but stays here: ${wordsOf(error)}`);
    }
  }

  #refuse(name: string, error: unknown): void {
    const note = this.#notes.get(name);
    const code = error instanceof TransfersError ? error.code : systemCode(error);
    if (code === "ENOENT" || !note) return;
    if (code === "bad-source") {
      // Somebody may be writing it slowly.
      if (this.#parts.clock.nowMs() - note.sinceMs >= BROKEN_MS) this.#settle(name, wordsOf(error));
      return;
    }
    this.#note(name, wordsOf(error));
  }

  #settle(name: string, why: string): void {
    const note = this.#notes.get(name);
    if (note) note.isSettled = true;
    this.#note(name, why);
  }

  /** Told once, until the file or the reason changes. */
  #note(name: string, why: string): void {
    if (this.#troubles.get(name) === why) return;
    this.#troubles.set(name, why);
    const { log, folder } = this.#parts;
    log.warn("a file of a watch folder is not taken", { folder, name, why });
  }

  #tell(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    const { log, folder } = this.#parts;
    if (trouble === undefined) log.info("a watch folder is there again", { folder });
    else log.warn("nothing is taken from a watch folder", { folder, why: trouble });
    this.#trouble = trouble;
  }
}

/** Names that begin with a dot belong to programs that are still writing. */
function isTaken(name: string): boolean {
  return /^[^.].*\.(torrent|magnet)$/i.test(name);
}

function wordsOf(error: unknown): string {
  if (error instanceof TransfersError) return error.detail;
  switch (systemCode(error)) {
    case "ENOENT":
      return "There is no such folder now.";
    case "ENOTDIR":
      return "It is no folder.";
    case "EACCES":
    case "EPERM":
      return "The user of this node may not use it.";
    case "EROFS":
      return "Its disk is read-only.";
    default:
      return error instanceof EverseedError || !(error instanceof Error)
        ? String(error)
        : `${error.message}.`;
  }
}
