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

/** A disk that refused is tried again after this. */
const RETRY_MS = 5_000;
/** While a download is under way its files are looked at this often, and a millisecond a file. */
const WATCH_MS = 10_000;
/**
 * A folder that came back without its files must be seen that often: a mount point is there a moment before
 * what is mounted on it.
 */
const EMPTY_LOOKS = 2;
/** In place of the inode of a file that was never seen. */
const UNSEEN = -1;

export interface DiskRecoveryOptions {
  readonly info: TorrentInfo;
  /** Absolute folder of the torrent's files. */
  readonly root: string;
  /** What unfinished files end in, if in anything. */
  readonly unfinishedSuffix: string | undefined;
  readonly bytes: Pick<ByteStore, "sync">;
  readonly judge: Pick<PieceJudge, "check">;
  readonly watch: FileWatch;
  /** Where files have to be claimed before they are written to. */
  readonly claims: Pick<FilePlaces, "claim"> | undefined;
  readonly have: Bitfield;
  /** How the files look now. */
  readonly found: readonly FileStamp[];
  /** How they looked when all of them was durable, if that is known. */
  readonly known: readonly FileStamp[] | undefined;
  readonly download: DownloadView;
  readonly clock: Pick<Clock, "nowMs">;
  readonly outputs: OutputQueue<FilesOutput>;
}

/** A file that was there, and is not or may be another one. */
interface GoneFile {
  /** Folders below the root that were seen to be there, the fewest; -1 when the root was not. */
  depth: number;
  /** How often its folder was back and the file was not. */
  emptyLooks: number;
}

/**
 * What happens to a torrent whose disk refused: when to try again, and what of its files is to be believed
 * then. A file that vanished is waited for, as a new one in its place would pass for it; when it is back, its
 * pieces are judged anew, unless it is the very same file. When a folder was taken away and is back without the
 * file, the file is lost, and begun again (STO-5).
 *
 * well -> waiting -> looking -> (judging ->) well; looking -> waiting.
 */
export class DiskRecovery {
  readonly #options: DiskRecoveryOptions;
  /** Files that have to be back, or known to be lost, before anything goes on. */
  readonly #gone = new Map<number, GoneFile>();
  /** Of each file that was seen, else `UNSEEN`; descriptors go on leading to a file that was moved away. */
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
   * This is how the files look now that all of them is durable.
   *
   * @returns False when what is claimed is not all there.
   */
  remember(stamps: readonly FileStamp[]): boolean {
    if (this.#stage !== "well") return this.#gone.size === 0;
    if (!this.#areAtPlace(stamps, false)) return false;
    this.#known = stamps;
    return true;
  }

  /** Says `there` when all that is wanted is seen to be at its place; never while the disk refuses. */
  confirm(): void {
    if (this.#stage === "well") this.#watch({ all: true });
  }

  handleFailure(failure: DiskFailure): void {
    this.#failures += 1;
    if (isMissing(failure)) this.#findGone(failure);
    if (this.#stage === "well") this.#wait();
  }

  /** These files are not there; their pieces are not claimed any more. */
  handleGone(files: readonly number[]): void {
    for (const index of files) this.#miss(index);
    const failure = missing(this.#pathOf(files[0]!));
    this.handleFailure(failure);
    this.#options.outputs.push({ kind: "still", failure });
  }

  tick(now: number): void {
    if (this.#stage === "waiting" && now >= this.#retryAtMs) this.#look();
    // What is complete is watched by those who serve it.
    const watches = this.#stage === "well" && !this.#options.download.complete;
    if (watches && now >= this.#watchAtMs) this.#watch({ all: false });
  }

  /** Nothing is said afterwards. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** @param all - Not only is nothing to have been moved: every wanted file has to be there. Then it says `there`. */
  #watch({ all }: { readonly all: boolean }): void {
    const { watch, info, clock, outputs } = this.#options;
    this.#watchAtMs = clock.nowMs() + WATCH_MS + info.files.length;
    watch.stamp((stamps) => {
      if (this.#cancelled || this.#stage !== "well") return;
      if ("kind" in stamps) outputs.push({ kind: "refused", failure: stamps });
      else if (this.#areAtPlace(stamps, all) && all) outputs.push({ kind: "there" });
    });
  }

  /** Makes a failure of files that were moved away or replaced: bytes still go where descriptors lead. */
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

  /** @param missed - When it is a folder above the file, it may be back before anybody looks. */
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
   * Who else may be gone with the file, or the folder, that was missed: all that were there. Whether they are the
   * same when they are found again cannot be seen from outside; number, size and time may all be given again.
   */
  #findGone({ path }: DiskFailure): void {
    const { watch, info, have } = this.#options;
    for (const [index, file] of info.files.entries()) {
      // What we have of unwanted files is in the part file.
      if (file.pad || file.length === 0 || !this.#options.download.wantsFile(index)) continue;
      const { first, end } = info.geometry.filePieces(index);
      const was = this.#isPathOf(path, index) || this.#inodes[index] !== UNSEEN;
      if (was || hasAny(have, first, end)) this.#missBelow(path, index);
    }
    watch.stamp((stamps) => {
      if (!this.#cancelled) this.#seeAbsentees("kind" in stamps ? undefined : stamps);
    });
  }

  /** @param stamps - `undefined` when there is not even a root. @returns Files to wait for, and those that are lost. */
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

  /** What workers hold open may not be what is there now. */
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
          // What could not be read may be right all the same.
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
   * A disk that is back may have given its files other inodes. One that holds a piece which is right is the file that
   * was there; any other is refused when it is to be written to.
   */
  #claimReturned(stamps: readonly FileStamp[], corrupt: Bitfield, onDone: () => void): void {
    const { info, claims } = this.#options;
    const files = [...this.#gone.keys()].filter((index) => {
      if (stamps[index]!.size < 0 || this.#known?.[index]?.inode === stamps[index]!.inode)
        return false;
      // Nothing can be lost of an empty one.
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

  /** What could not be made durable before must be now, or it would be claimed all the same. */
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

/** @returns True when its folder was away and is back, and it is not: it will not come. */
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

/** Not by its inode alone: the number is given again soon after a file was removed. */
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
