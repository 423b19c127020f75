import { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ByteStore,
  DiskFailure,
  FilePlaces,
  FileStamp,
  FileWatch,
  NearestFolder,
  PieceJudge,
} from "../../ports/content.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { DownloadView } from "./download-view.ts";
import type { FilesOutput } from "./files-output.ts";

/** A disk that refused is tried again after this time. */
const RETRY_MS = 5_000;
/** Interval between checks of the files of a running download, plus a millisecond per file. */
const WATCH_MS = 10_000;
/**
 * We wait until we have seen a folder without its files this many times: a mount point exists a moment before
 * the file system is mounted on it.
 */
const EMPTY_LOOKS = 2;
/** In place of the inode of a file that we have never seen. */
const UNSEEN = -1;

export interface DiskRecoveryOptions {
  readonly info: TorrentInfo;
  /** Absolute folder of the torrent's files. */
  readonly root: string;
  /** The suffix of unfinished files, if they have one. */
  readonly unfinishedSuffix: string | undefined;
  readonly bytes: Pick<ByteStore, "sync">;
  readonly judge: Pick<PieceJudge, "check">;
  readonly watch: FileWatch;
  /** The files, where they have to be claimed before they are written to. */
  readonly claims: Pick<FilePlaces, "claim"> | undefined;
  readonly have: Bitfield;
  /** The stamps of the files now. */
  readonly found: readonly FileStamp[];
  /** The stamps of the files when all their data was durable, if known. */
  readonly known: readonly FileStamp[] | undefined;
  readonly download: DownloadView;
  readonly clock: Pick<Clock, "nowMs">;
  readonly outputs: OutputQueue<FilesOutput>;
}

/** A file that existed, and is missing now or may be a different one. */
interface GoneFile {
  /** The smallest number of folders below the root that we saw exist; -1 when the root did not. */
  depth: number;
  /** How often we saw its folder without the file. */
  emptyLooks: number;
}

/**
 * Decides what happens to a torrent whose disk refused: when to try again, and which of its files to believe then. A
 * file that vanished is waited for, because a new file in its place would pass for it. When it is back, its pieces
 * are judged again, unless it is the very same file. When a folder vanished and came back without the file, the file
 * is lost, and is downloaded again (STO-5).
 *
 * well -> waiting -> looking -> (judging ->) well; looking -> waiting.
 */
export class DiskRecovery {
  readonly #options: DiskRecoveryOptions;
  /** Files that must be back, or known to be lost, before the torrent continues. */
  readonly #gone = new Map<number, GoneFile>();
  /** The inode of each file we saw, else `UNSEEN`; a descriptor still leads to a file that was moved away. */
  readonly #inodes: Float64Array;
  #known: readonly FileStamp[] | undefined;
  #stage: "well" | "waiting" | "looking" = "well";
  #retryAtMs = 0;
  #watchAtMs: number;
  #failures = 0;
  #cancelled = false;

  constructor(options: DiskRecoveryOptions) {
    this.#options = options;
    this.#known = options.known;
    this.#inodes = new Float64Array(options.info.files.length).fill(UNSEEN);
    this.#learn(options.found);
    this.#watchAtMs = options.clock.nowMs() + WATCH_MS;
  }

  /**
   * The stamps of the files now that all their data is durable.
   *
   * @returns False when not everything that is claimed exists.
   */
  remember(stamps: readonly FileStamp[]): boolean {
    if (this.#stage !== "well") return this.#gone.size === 0;
    if (!this.#areAtPlace(stamps, false)) return false;
    this.#known = stamps;
    return true;
  }

  /** Reports `there` when all wanted files are seen at their place; never while the disk refuses. */
  confirm(): void {
    if (this.#stage === "well") this.#watch({ all: true });
  }

  handleFailure(failure: DiskFailure): void {
    this.#failures += 1;
    if (isMissing(failure)) this.#findGone(failure);
    if (this.#stage === "well") this.#wait();
  }

  /** These files are missing; their pieces are not claimed any more. */
  handleGone(files: readonly number[]): void {
    for (const index of files) this.#miss(index);
    const failure = missing(this.#pathOf(files[0]!));
    this.handleFailure(failure);
    this.#options.outputs.push({ kind: "still", failure });
  }

  tick(now: number): void {
    if (this.#stage === "waiting" && now >= this.#retryAtMs) this.#look();
    // The uploader's side watches files that are complete.
    const watches = this.#stage === "well" && !this.#options.download.complete;
    if (watches && now >= this.#watchAtMs) this.#watch({ all: false });
  }

  /** Nothing is reported afterwards. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** @param all - Every wanted file must exist, and not only must none have moved. Then it reports `there`. */
  #watch({ all }: { readonly all: boolean }): void {
    const { watch, info, clock, outputs } = this.#options;
    this.#watchAtMs = clock.nowMs() + WATCH_MS + info.files.length;
    watch.stamp((stamps) => {
      if (this.#cancelled || this.#stage !== "well") return;
      if ("kind" in stamps) outputs.push({ kind: "refused", failure: stamps });
      else if (this.#areAtPlace(stamps, all) && all) outputs.push({ kind: "there" });
    });
  }

  /** Reports files that were moved away or replaced as a failure: bytes would still go where descriptors lead. */
  #areAtPlace(stamps: readonly FileStamp[], all: boolean): boolean {
    const moved: number[] = [];
    for (const [index, { size, inode }] of stamps.entries()) {
      const { pad, length } = this.#options.info.files[index]!;
      if (pad || length === 0 || !this.#options.download.wantsFile(index)) continue;
      const before = this.#inodes[index]!;
      if (size < 0 ? all || before !== UNSEEN : before !== UNSEEN && before !== inode) {
        moved.push(index);
      }
    }
    if (moved.length === 0) this.#learn(stamps);
    else if (!this.#cancelled) this.handleGone(moved);
    return moved.length === 0;
  }

  #learn(stamps: readonly FileStamp[]): void {
    for (const [index, { size, inode }] of stamps.entries()) {
      if (size >= 0) this.#inodes[index] = inode;
    }
  }

  #miss(index: number): GoneFile {
    const known = this.#gone.get(index);
    const gone = known ?? { depth: Number.POSITIVE_INFINITY, emptyLooks: 0 };
    this.#gone.set(index, gone);
    return gone;
  }

  /** @param missed - If this is a folder above the file, it may be back before anybody looks. */
  #missBelow(missed: string, index: number): void {
    const gone = this.#miss(index);
    const path = this.#pathOf(index);
    if (!path.startsWith(`${missed}/`)) return;
    const above = path.slice(missed.length + 1).split("/").length;
    const folders = this.#options.info.files[index]!.path.length - above;
    gone.depth = Math.min(gone.depth, folders - 1);
  }

  #wait(): void {
    this.#stage = "waiting";
    this.#retryAtMs = this.#options.clock.nowMs() + RETRY_MS;
  }

  #still(failure: DiskFailure): void {
    this.#wait();
    this.#options.outputs.push({ kind: "still", failure });
  }

  /**
   * Other files that may be gone together with the missing file or folder: all that existed. When they reappear we
   * cannot see whether they are the same: number, size and time may all be given again.
   */
  #findGone({ path }: DiskFailure): void {
    const { watch, info, have } = this.#options;
    for (const [index, file] of info.files.entries()) {
      // Blocks that we have of unwanted files are in the part file.
      if (file.pad || file.length === 0 || !this.#options.download.wantsFile(index)) continue;
      const { first, end } = info.geometry.filePieces(index);
      const was = this.#isPathOf(path, index) || this.#inodes[index] !== UNSEEN;
      if (was || hasAny(have, first, end)) this.#missBelow(path, index);
    }
    watch.stamp((stamps) => {
      if (!this.#cancelled) this.#seeAbsentees("kind" in stamps ? undefined : stamps);
    });
  }

  /** @param stamps - `undefined` when not even the root exists. @returns Files to wait for, and lost files. */
  #seeAbsentees(stamps: readonly FileStamp[] | undefined): { awaited: number[]; lost: number[] } {
    const awaited: number[] = [];
    const lost: number[] = [];
    for (const [index, gone] of this.#gone) {
      const stamp = stamps?.[index];
      if (stamp && stamp.size >= 0) gone.emptyLooks = 0;
      else if (seeAbsent(gone, stamp?.nearest)) lost.push(index);
      else awaited.push(index);
    }
    return { awaited, lost };
  }

  #look(): void {
    const { watch } = this.#options;
    const failures = this.#failures;
    this.#stage = "looking";
    watch.stamp((stamps) => {
      if (this.#cancelled) return;
      if ("kind" in stamps) {
        this.#seeAbsentees(undefined);
        this.#still(stamps);
        return;
      }
      const { awaited, lost } = this.#seeAbsentees(stamps);
      if (awaited.length > 0) this.#still(missing(this.#pathOf(awaited[0]!)));
      else this.#reopen(stamps, lost, failures);
    });
  }

  /** Descriptors that workers hold open may not lead to the files that are there now. */
  #reopen(stamps: readonly FileStamp[], lost: readonly number[], failures: number): void {
    const { watch } = this.#options;
    if (this.#gone.size === 0) {
      this.#prove(failures);
      return;
    }
    watch.reopen(lost, () => {
      if (this.#cancelled) return;
      for (const index of this.#gone.keys()) this.#inodes[index] = UNSEEN;
      this.#learn(stamps);
      this.#judgeReturned(stamps, () => this.#prove(failures));
    });
  }

  #judgeReturned(stamps: readonly FileStamp[], onDone: () => void): void {
    const { judge, info, have } = this.#options;
    const returned = new Bitfield(info.geometry.pieceCount);
    const doubtful = new Bitfield(info.geometry.pieceCount);
    for (const index of this.#gone.keys()) {
      const before = this.#known?.[index];
      const same = before !== undefined && isSameStamp(before, stamps[index]!);
      const { first, end } = info.geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) {
        returned.add(piece);
        if (!same || !have.has(piece)) doubtful.add(piece);
      }
    }
    this.#options.outputs.push({ kind: "returned", pieces: returned });
    const intact = new Bitfield(info.geometry.pieceCount);
    judge.check({
      pieces: doubtful,
      onPiece: (piece, isIntact) => {
        if (!isIntact) return;
        intact.add(piece);
        doubtful.delete(piece);
      },
      onDone: (outcome) => {
        if (this.#cancelled) return;
        if (outcome.kind === "failure") {
          // A piece that could not be read may still be right.
          this.#still(outcome);
          return;
        }
        this.#claimReturned(stamps, doubtful, () => {
          this.#gone.clear();
          this.#options.outputs.push({ kind: "judged", intact, corrupt: doubtful });
          onDone();
        });
      },
    });
  }

  /**
   * A disk that is back may have given its files other inodes. A file that holds a right piece is the old one; any
   * other file is refused when it is to be written to.
   */
  #claimReturned(stamps: readonly FileStamp[], corrupt: Bitfield, onDone: () => void): void {
    const { info, claims } = this.#options;
    const files = [...this.#gone.keys()].filter((index) => {
      if (stamps[index]!.size < 0 || this.#known?.[index]?.inode === stamps[index]!.inode)
        return false;
      // An empty file cannot have lost anything.
      if (stamps[index]!.size === 0) return true;
      const { first, end } = info.geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) if (!corrupt.has(piece)) return true;
      return false;
    });
    if (!claims || files.length === 0) {
      onDone();
      return;
    }
    claims.claim(files, (outcome) => {
      if (this.#cancelled) return;
      if (outcome.kind === "failure") this.#still(outcome);
      else onDone();
    });
  }

  /** What could not be made durable before must be now; otherwise we would claim it all the same. */
  #prove(failures: number): void {
    this.#options.bytes.sync((outcome) => {
      if (this.#cancelled) return;
      if (outcome.kind === "failure") {
        this.handleFailure(outcome);
        this.#still(outcome);
      } else if (this.#failures !== failures) {
        this.#wait();
      } else {
        this.#stage = "well";
        this.#options.outputs.push({ kind: "back" });
      }
    });
  }

  #isPathOf(path: string, file: number): boolean {
    const { unfinishedSuffix = "" } = this.#options;
    const own = this.#pathOf(file);
    return path === own || path === `${own}${unfinishedSuffix}`;
  }

  #pathOf(file: number): string {
    return `${this.#options.root}/${this.#options.info.files[file]!.path.join("/")}`;
  }
}

/** @returns True when its folder vanished and came back without the file: the file will not come back. */
function seeAbsent(gone: GoneFile, nearest: NearestFolder | undefined): boolean {
  const depth = nearest?.depth ?? -1;
  const folderIsBack = nearest !== undefined && (nearest.empty || depth > gone.depth);
  gone.depth = Math.min(gone.depth, depth);
  gone.emptyLooks = folderIsBack ? gone.emptyLooks + 1 : 0;
  return gone.emptyLooks >= EMPTY_LOOKS;
}

function isMissing({ code }: DiskFailure): boolean {
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENODEV";
}

/** An inode alone proves nothing: its number is reused soon after a file was removed. */
export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.inode === b.inode;
}

function missing(path: string): DiskFailure {
  return { kind: "failure", code: "ENOENT", message: `${path} is not there`, path };
}

function hasAny(have: Bitfield, first: number, end: number): boolean {
  for (let piece = first; piece < end; piece += 1) if (have.has(piece)) return true;
  return false;
}
