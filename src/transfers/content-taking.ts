import { formatBytes } from "../base/format-bytes.ts";
import { folderOf } from "../base/paths.ts";
import { safeJoin } from "../base/safe-join.ts";
import { systemCode } from "../base/system-code.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import type { ResumeState } from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import type { TransferRow } from "../store/transfers.ts";
import type { KnownContents, KnownFile } from "./known-contents.ts";
import { takingPath } from "./taking-path.ts";
import { parseChoices, wantedFiles } from "./transfer-choices.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import type { TransferState } from "./transfer-state.ts";

/** A full disk is tried again after this time. */
const RETRY_MS = 30_000;

/** A file of a transfer that is here in another one. */
interface TakenFile {
  /** Index in the torrent. */
  readonly file: number;
  /** Absolute, where it belongs. */
  readonly path: string;
  readonly length: number;
  /** It shares no piece with another file: nobody will write into it, as long as it is right. */
  readonly isAlone: boolean;
  readonly sources: readonly KnownFile[];
}

/** What a transfer can take from others. */
export interface TakingPlan {
  readonly info: TorrentInfo;
  readonly files: readonly TakenFile[];
}

/** The files below one folder, in which no link is followed. */
export type TakingFiles = Pick<FolderFiles, "stat" | "duplicate" | "close">;

export interface ContentTakingParts {
  readonly known: KnownContents;
  readonly shelf: TransferShelf;
  /** Files of a folder that exists. */
  readonly below: (root: string) => TakingFiles;
  /** Whether a second name of the same file will do. */
  readonly hardLinks: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** It shows another state. */
  readonly onChanged: (id: string) => void;
  /** Everything was tried: the transfer may be opened. */
  readonly onEnded: (id: string) => void;
}

interface Taking {
  readonly giveUp: AbortController;
  readonly bytesTotal: number;
  bytesDone: number;
  of: string;
  /** Why it waits. */
  waits: string | undefined;
  ended: Promise<void>;
}

/**
 * Brings files that are here in other transfers to where a new one is to have them, before its torrent comes into the
 * engine. They count when the engine has compared them with their hashes; what is wrong it fetches. Their indexes are
 * on the shelf before the first one is there, so that after a kill we know them for ours.
 */
export class ContentTaking {
  readonly #parts: ContentTakingParts;
  readonly #takings = new Map<string, Taking>();
  /** Files for which every source was tried, until the transfer is finished or gone. */
  readonly #tried = new Map<string, Set<number>>();

  constructor(parts: ContentTakingParts) {
    this.#parts = parts;
  }

  has(id: string): boolean {
    return this.#takings.has(id);
  }

  ids(): Iterable<string> {
    return this.#takings.keys();
  }

  state(id: string): TransferState | undefined {
    const taking = this.#takings.get(id);
    if (!taking) return undefined;
    const { waits, bytesDone, bytesTotal, of } = taking;
    if (waits !== undefined) return { kind: "waiting", cause: "disk-full", message: waits };
    return { kind: "taking", part: bytesTotal === 0 ? 1 : bytesDone / bytesTotal, of };
  }

  /**
   * @param info - With the paths that its files have on disk (`placedInfo`).
   * @returns What an unfinished transfer lacks and others have; `undefined` when that is nothing.
   */
  async plan(
    row: TransferRow,
    info: TorrentInfo,
    resume: ResumeState | undefined,
  ): Promise<TakingPlan | undefined> {
    const wanted = wantedFiles(parseChoices(row.choices), info.files.length);
    const tried = this.#tried.get(row.id);
    const isLacking = (index: number): boolean =>
      wanted[index]! && tried?.has(index) !== true && !hasWhole(info, index, resume);
    const known = await this.#parts.known.find(row.id, info, isLacking);
    if (known.size === 0) return undefined;
    const disk = this.#parts.below(row.root);
    try {
      const files = await this.#absent(disk, { row, info, known });
      return files.length === 0 ? undefined : { info, files };
    } catch (error) {
      // The engine finds out what is wrong with the disk, and says it.
      this.#parts.log.debug("nothing is taken from other transfers", {
        id: row.id,
        why: String(error),
      });
      return undefined;
    } finally {
      disk.close();
    }
  }

  /** A file that is there, whole or begun, stays: the engine judges it. */
  async #absent(
    disk: TakingFiles,
    at: {
      readonly row: TransferRow;
      readonly info: TorrentInfo;
      readonly known: ReadonlyMap<number, readonly KnownFile[]>;
    },
  ): Promise<TakenFile[]> {
    const { row, info, known } = at;
    const suffix = unfinishedSuffix(info.files.map((file) => file.path.join("/")));
    const absent: TakenFile[] = [];
    for (const [file, sources] of known) {
      const path = safeJoin(row.root, info.files[file]!.path);
      const unfinished = unfinishedPath(path, suffix);
      if (await disk.stat(path)) continue;
      if (unfinished !== undefined && (await disk.stat(unfinished))) continue;
      const { length } = info.files[file]!;
      absent.push({ file, path, length, isAlone: isAlone(info, file), sources });
    }
    return absent;
  }

  /** Begins to take them, in the background. */
  begin(row: TransferRow, plan: TakingPlan): void {
    const { log, onEnded, onChanged } = this.#parts;
    const { id } = row;
    const taking: Taking = {
      giveUp: new AbortController(),
      bytesTotal: plan.files.reduce((sum, { length }) => sum + length, 0),
      bytesDone: 0,
      of: plan.files[0]!.sources[0]!.of,
      waits: undefined,
      ended: Promise.resolve(),
    };
    this.#takings.set(id, taking);
    const { signal } = taking.giveUp;
    taking.ended = this.#takeAll(row, plan, taking)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        log.warn("content could not be taken from other transfers", { id, why: String(error) });
        this.#markTried(id, plan.files);
      })
      .finally(() => {
        this.#takings.delete(id);
        onChanged(id);
        if (!signal.aborted) onEnded(id);
      });
    onChanged(id);
  }

  /** Resolves when nothing of it is under way any more. What was taken stays. */
  async cancel(id: string): Promise<void> {
    const taking = this.#takings.get(id);
    taking?.giveUp.abort();
    await taking?.ended;
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#takings.keys(), (id) => this.cancel(id)));
  }

  /** The transfer is finished or gone, or its owner starts it anew. */
  /** Whether some of its files came from other transfers, or might have. */
  hasTaken(id: string): boolean {
    return (this.#tried.get(id)?.size ?? 0) > 0;
  }

  forget(id: string): void {
    this.#tried.delete(id);
  }

  async #takeAll(row: TransferRow, plan: TakingPlan, taking: Taking): Promise<void> {
    const { id, root } = row;
    const { shelf } = this.#parts;
    const before = await shelf.loadTaken(id);
    const taken = plan.files.map(({ file }) => file);
    await shelf.saveTaken(id, {
      files: new Set([...(before?.files ?? []), ...taken]),
      isCompared: false,
    });
    const disk = this.#parts.below(root);
    try {
      const partialFor = (path: string): string => takingPath(folderOf(path), plan.info);
      for (const file of plan.files) {
        await this.#takeOne(disk, { id, file, taking, partial: partialFor(file.path) });
        this.#markTried(id, [file]);
      }
    } finally {
      disk.close();
    }
  }

  async #takeOne(
    disk: TakingFiles,
    work: {
      readonly id: string;
      readonly file: TakenFile;
      readonly taking: Taking;
      readonly partial: string;
    },
  ): Promise<void> {
    const { id, file, taking, partial } = work;
    const { signal } = taking.giveUp;
    const { hardLinks, log } = this.#parts;
    const before = taking.bytesDone;
    const sources = [...file.sources];
    while (sources.length > 0) {
      const source = sources[0]!;
      taking.of = source.of;
      taking.bytesDone = before;
      try {
        signal.throwIfAborted();
        const how = await disk.duplicate(source.path, file.path, {
          length: file.length,
          mayLink: hardLinks && file.isAlone,
          partial,
          signal,
          onBytes: (bytes) => (taking.bytesDone += bytes),
        });
        taking.bytesDone = before + file.length;
        log.info("a file is taken from another transfer", { id, path: file.path, how });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (isFull(error)) {
          await this.#waitForRoom(id, taking, fullWords(file.path, error));
          continue;
        }
        // Gone, changed, unreadable, or the disk refuses for another reason, which the engine will say.
        log.info("a file is not taken from another transfer", {
          id,
          from: source.path,
          why: String(error),
        });
        sources.shift();
      }
    }
    taking.bytesDone = before + file.length;
  }

  async #waitForRoom(id: string, taking: Taking, words: string): Promise<void> {
    const { clock, onChanged } = this.#parts;
    const { signal } = taking.giveUp;
    taking.waits = words;
    onChanged(id);
    await new Promise<void>((resolve) => {
      const timer = clock.startTimer(RETRY_MS, end);
      function end(): void {
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      }
      signal.addEventListener("abort", end);
    });
    taking.waits = undefined;
    onChanged(id);
  }

  #markTried(id: string, files: readonly TakenFile[]): void {
    const tried = this.#tried.get(id) ?? new Set();
    for (const { file } of files) tried.add(file);
    this.#tried.set(id, tried);
  }
}

function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

function fullWords(path: string, error: unknown): string {
  const missing =
    error instanceof Error && "missingBytes" in error && typeof error.missingBytes === "number"
      ? `, which needs ${formatBytes(error.missingBytes)} more`
      : "";
  return `the disk is full below ${folderOf(path)}${missing}`;
}

/** By its resume, all pieces of a file are there. */
function hasWhole(info: TorrentInfo, index: number, resume: ResumeState | undefined): boolean {
  const { geometry } = info;
  if (!resume || resume.have.length !== geometry.pieceCount) return false;
  if (info.files[index]!.length === 0) return true;
  const { first, end } = geometry.filePieces(index);
  for (let piece = first; piece < end; piece += 1) if (!resume.have.has(piece)) return false;
  return true;
}

/** Whether no piece of the file has bytes of another one. */
function isAlone({ geometry, files }: TorrentInfo, index: number): boolean {
  const { first, end } = geometry.filePieces(index);
  return [first, end - 1].every((piece) =>
    geometry
      .spans(piece * geometry.pieceLength, geometry.pieceSize(piece))
      .every(({ file }) => file === index || files[file]!.pad),
  );
}
