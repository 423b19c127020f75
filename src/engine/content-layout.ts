import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type {
  ContentFile,
  ContentLayout,
  ContentSource,
  FileStamp,
  OpenContent,
} from "../ports/content.ts";
import { infohashKey } from "../base/infohash.ts";
import type { Bitfield } from "../base/bitfield.ts";
import { finish, type Work } from "../base/work.ts";
import type { ExistingFiles } from "./existing-files.ts";
import type { ResumeState } from "./session-contract.ts";

/** The last saved resume may be this much older than the stamps of our own later writes. */
const RESUME_GRACE_MS = 10_000;
/** A file system may round times down to whole steps of this size (FAT). */
const CLOCK_STEP_MS = 2_000;

/** Files that are laid out or judged by their stamps before others may have a turn. */
const FILES_PER_STEP = 256;
/** Pieces of one file that are marked before others may have a turn. */
const PIECES_PER_STEP = 16_384;

/**
 * @param hashesV2 - 32 bytes a piece in shared memory, or `undefined` for a v1 torrent.
 * @param existing - What we may do to existing files.
 */
export function contentLayout(
  info: TorrentInfo,
  root: string,
  hashesV2: Uint8Array | undefined,
  existing: ExistingFiles = "untouched",
): ContentLayout {
  return finish(contentLayoutInSteps(info, { root, hashesV2, existing }));
}

/** The same in steps, because there may be 200,000 files. */
export function* contentLayoutInSteps(
  info: TorrentInfo,
  place: {
    readonly root: string;
    readonly hashesV2: Uint8Array | undefined;
    readonly existing: ExistingFiles;
  },
): Work<ContentLayout> {
  const { root, hashesV2, existing } = place;
  const files: ContentFile[] = [];
  for (const { path, executable, linkTarget } of info.files) {
    if (files.length % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    files.push({ path: path.join("/"), executable, linkTarget: linkTarget?.join("/") });
  }
  return {
    root,
    geometry: info.geometry,
    files,
    hashes: { v1: info.pieceHashes, v2: hashesV2 },
    partFile: `${root}/.${partName(info)}.parts`,
    readOnly: existing === "untouched",
    existing: existing === "own" ? "own" : "claimed",
    throughLinks: existing === "untouched",
  };
}

/** Opens a content in steps if its source can, else at once. */
export function* openInSteps(source: ContentSource, layout: ContentLayout): Work<OpenContent> {
  return source.openInSteps ? yield* source.openInSteps(layout) : source.open(layout);
}

function partName(info: TorrentInfo): string {
  return infohashKey(info.infohashes.v1 ?? info.infohashes.v2!);
}

/** What we may believe about the files before we read any byte of them. */
export interface DiskJudgement {
  /** Pieces that exist: judged in an earlier run, or trusted in seed mode. */
  readonly have: Bitfield;
  /** Those of them that may be served without judging them first. */
  readonly judged: Bitfield;
  /** Pieces that must be read and judged now. */
  readonly doubtful: Bitfield;
  /** Unfinished pieces that may be resumed. */
  readonly partial: ResumeState["partial"];
  /** By the resume, this download created these files. */
  readonly ours: readonly boolean[];
}

export interface DiskEvidence {
  readonly info: TorrentInfo;
  readonly stamps: readonly FileStamp[];
  readonly resume: ResumeState | undefined;
  readonly mode: "download" | "seed";
  /** Files that were put there for this download. */
  readonly brought?: ReadonlySet<number> | undefined;
  /** How often a resume is saved, in milliseconds. */
  readonly resumeIntervalMs: number;
  readonly empty: () => Bitfield;
}

/**
 * Decides which pieces to believe. We believe a resume for every file whose stamp is the same as in the resume (STO-6).
 * After a kill, our own last writes may have made files younger, but what the resume claims was durable before (STO-1,
 * STO-2). Everything else that may be there is judged by its hash.
 *
 * It works in steps, because there may be 200,000 files; do not change the stamps meanwhile.
 */
export function* judgeDiskInSteps(evidence: DiskEvidence): Work<DiskJudgement> {
  const { info, stamps, resume, mode } = evidence;
  const have = evidence.empty();
  const doubtful = evidence.empty();
  if (resume) {
    for (const piece of resume.have.indexes()) have.add(piece);
  } else if (mode === "seed") {
    have.fill();
  }
  const judged = resume ? have.clone() : evidence.empty();
  const changed = evidence.empty();
  const ours: boolean[] = [];
  for (const [index, file] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    const stamp = stamps[index]!;
    const isBrought = evidence.brought?.has(index) === true && stamp.size >= 0;
    const own = isBrought || isMadeByUs(stamp, evidence, index);
    ours.push(own);
    if (file.pad || file.length === 0) continue;
    const doubt = isBrought || isDoubtful(evidence, index);
    // Younger than its resume, presumably by our own last writes: judge it before it is served.
    if (!doubt && (!resume || isUntouched(stamp, resume.stamps[index]!))) continue;
    // The resume's claims about its pieces were about another file.
    const isOther = !own && resume?.stamps[index]?.inode !== stamp.inode;
    const { first, end } = info.geometry.filePieces(index);
    for (let piece = first; piece < end; piece += 1) {
      if ((piece - first) % PIECES_PER_STEP === PIECES_PER_STEP - 1) yield;
      judged.delete(piece);
      if (!doubt) continue;
      changed.add(piece);
      // Without a file there is nothing to read: its pieces are simply missing.
      if (stamp.size > 0 && (have.has(piece) || isOther || isBrought)) doubtful.add(piece);
      have.delete(piece);
    }
  }
  const partial = (resume?.partial ?? []).filter(
    ({ piece }) => !have.has(piece) && !changed.has(piece),
  );
  return { have, judged, doubtful, partial, ours };
}

/** A file with bytes whose stamp differs from the resume, or whose length is wrong. */
function isDoubtful({ info, stamps, resume, mode, resumeIntervalMs }: DiskEvidence, index: number) {
  const stamp = stamps[index]!;
  if (resume) return !matchesResume(stamp, resume, index, resumeIntervalMs);
  return mode === "seed" ? stamp.size !== info.files[index]!.length : stamp.size > 0;
}

/**
 * The same for content that nobody else can change, and that has no stamps: what a resume claims was durable when it
 * was saved. Without a resume, a seed is trusted, and a download has to check everything.
 */
export function judgeUnwatched(
  evidence: Pick<DiskEvidence, "resume" | "mode" | "empty">,
): DiskJudgement {
  const { resume, mode, empty } = evidence;
  if (resume) {
    const have = resume.have.clone();
    const partial = resume.partial.filter(({ piece }) => !have.has(piece));
    return { have, judged: have.clone(), doubtful: empty(), partial, ours: [] };
  }
  const all = empty();
  all.fill();
  const [have, doubtful] = mode === "seed" ? [all, empty()] : [empty(), all];
  return { have, judged: empty(), doubtful, partial: [], ours: [] };
}

function matchesResume(
  now: FileStamp,
  resume: ResumeState,
  index: number,
  resumeIntervalMs: number,
): boolean {
  const then = resume.stamps[index];
  if (!then) return false;
  if (then.size < 0) return now.size < 0;
  if (now.inode !== then.inode) return false;
  if (isUntouched(now, then)) return true;
  if (resume.clean || isSameTime(now, then)) return false;
  const ownWritesEndMs = resume.savedAtMs + resumeIntervalMs + RESUME_GRACE_MS;
  return now.size >= then.size && now.mtimeMs <= ownWritesEndMs;
}

/**
 * A file is ours when it is the one in the resume and has the stamp that our own writes left; or when it did not exist
 * then and was created while a killed download may still have been writing.
 */
function isMadeByUs(
  now: FileStamp,
  { resume, resumeIntervalMs }: DiskEvidence,
  index: number,
): boolean {
  const then = resume?.stamps[index];
  if (!then || now.size < 0) return false;
  if (then.size >= 0) return matchesResume(now, resume, index, resumeIntervalMs);
  if (resume.clean) return false;
  const ownWritesEndMs = resume.savedAtMs + resumeIntervalMs + RESUME_GRACE_MS;
  return now.mtimeMs >= resume.savedAtMs - CLOCK_STEP_MS && now.mtimeMs <= ownWritesEndMs;
}

function isUntouched(now: FileStamp, then: FileStamp): boolean {
  if (then.size < 0) return now.size < 0;
  return now.inode === then.inode && now.size === then.size && isSameTime(now, then);
}

/** Stamps are stored in whole microseconds. */
function isSameTime(now: FileStamp, then: FileStamp): boolean {
  return Math.abs(now.mtimeMs - then.mtimeMs) < 0.002;
}
