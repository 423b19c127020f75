import { latin1OfUtf8 } from "../base/bytes.ts";
import type { Work } from "../base/work.ts";
import { planTorrentInSteps, type TorrentPlan } from "../metainfo/create.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentKind } from "../metainfo/metainfo.ts";
import { METAINFO_BYTES_MAX } from "../metainfo/parse-metainfo.ts";
import { cleanComponent, SafeTree } from "../metainfo/safe-path.ts";
import { isTrackerUrl } from "../metainfo/urls.ts";
import type { ContentFile } from "../ports/content.ts";
import type { HashKinds } from "./hash-journal.ts";
import { PublishError } from "./publish-error.ts";
import { UploadLayout } from "./upload-layout.ts";

/** What somebody declares to upload, and how to publish it. All of it comes from outside. */
export interface Declaration {
  /** The name of the folder, or the file, on disk. */
  readonly name: string;
  /** The title for people, kept to the letter; `name` when absent. */
  readonly title?: string | undefined;
  readonly folder: boolean;
  readonly files: readonly {
    /** Below the torrent's folder, "/" between parts. Ignored without a folder. */
    readonly path: string;
    /** Bytes. */
    readonly size: number;
    /** Milliseconds since 1970; only used in comparisons. */
    readonly modified?: number | undefined;
    readonly executable?: boolean | undefined;
  }[];
  readonly kind: TorrentKind;
  readonly pieceSize: number | "auto";
  readonly private: boolean;
  readonly comment?: string | undefined;
  readonly source?: string | undefined;
  /** Announce URLs besides the hub's own. */
  readonly trackers?: readonly string[] | undefined;
}

/** The plan made from a declaration, before the first byte arrives. */
export interface DraftPlan {
  /** Free text, well-formed. File names are in `torrent`. */
  readonly title: string;
  readonly torrent: TorrentPlan;
  /** One for each file of the torrent's geometry, below the draft's folder. */
  readonly contentFiles: readonly ContentFile[];
  readonly layout: UploadLayout;
  readonly kinds: HashKinds;
  /** Indexes of the declared files, in the order in which their bytes are sent. */
  readonly order: readonly number[];
  /** Declared paths that not every system could store. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
}

/** Files that are processed before other work gets a turn. */
const FILES_PER_STEP = 128;
/** Bytes of a file in the metainfo besides its path, with some margin. */
const FILE_OVERHEAD_BYTES = 200;
const PIECE_BYTES = { v1: 20, v2: 32, hybrid: 52 } as const;

/**
 * Cleans names like a reader of the torrent would (MET-1 to MET-5), so that the files on our disk and those of every
 * other reader are the same.
 *
 * @throws {PublishError} `bad-declaration` with the reason.
 */
export function* planDraft(declaration: Declaration): Work<DraftPlan> {
  const { kind, folder } = declaration;
  if (!folder && declaration.files.length !== 1) {
    throw new PublishError("bad-declaration", "Several files need a folder to lie in.");
  }
  const odd = declaration.trackers?.find((url) => !isTrackerUrl(url));
  if (odd !== undefined) {
    throw new PublishError("bad-declaration", `${JSON.stringify(odd)} is no tracker's address.`);
  }
  const name = cleanComponent(latin1OfUtf8(declaration.name));
  const tree = new SafeTree([]);
  const paths: (readonly string[])[] = [];
  for (const { path } of declaration.files) {
    if (paths.length % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    paths.push(folder ? tree.addFile(components(path)) : []);
  }
  const torrent = yield* plan(declaration, name, paths);
  yield;
  refuseHugeMetainfo(torrent, kind);
  yield;
  const contentFiles: ContentFile[] = [];
  for (const { path } of torrent.files) {
    if (contentFiles.length % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    // The hub only keeps it.
    contentFiles.push({ path: [name, ...path].join("/"), executable: false });
  }
  const changed = yield* renamed(declaration, name, paths);
  const layout = new UploadLayout(torrent.geometry);
  yield;
  return {
    title: (declaration.title ?? declaration.name).toWellFormed(),
    torrent,
    contentFiles,
    layout,
    kinds: { v1: kind !== "v2", v2: kind !== "v1" },
    order: torrent.files.flatMap((file) => (file.input === undefined ? [] : [file.input])),
    renamed: changed,
  };
}

function* plan(
  declaration: Declaration,
  name: string,
  paths: readonly (readonly string[])[],
): Work<TorrentPlan> {
  const files = declaration.files.map(({ size, executable }, index) => ({
    path: paths[index]!,
    length: size,
    executable,
  }));
  yield;
  try {
    return yield* planTorrentInSteps({
      name,
      files,
      kind: declaration.kind,
      pieceLength: declaration.pieceSize,
    });
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new PublishError("bad-declaration", `Cannot make a torrent of this: ${error.detail}.`, {
      cause: error,
    });
  }
}

/** Refuses metainfo that no reader would accept, us included, before anything is uploaded. */
function refuseHugeMetainfo(torrent: TorrentPlan, kind: TorrentKind): void {
  let bytes = torrent.geometry.pieceCount * PIECE_BYTES[kind];
  for (const file of torrent.files) {
    bytes += FILE_OVERHEAD_BYTES + 2 * file.path.reduce((sum, part) => sum + part.length + 4, 0);
  }
  if (bytes <= METAINFO_BYTES_MAX) return;
  throw new PublishError(
    "bad-declaration",
    "The torrent file itself would be too large. Choose larger pieces, or publish in several parts.",
  );
}

function* renamed(
  declaration: Declaration,
  name: string,
  paths: readonly (readonly string[])[],
): Work<{ from: string; to: string }[]> {
  const changes = name === declaration.name ? [] : [{ from: declaration.name, to: name }];
  if (!declaration.folder) return changes;
  for (const [index, file] of declaration.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    const to = paths[index]!.join("/");
    if (to !== file.path) changes.push({ from: file.path, to });
  }
  return changes;
}

/** Cleans names in the form in which they come off the wire. */
function components(path: string): string[] {
  const parts = latin1OfUtf8(path)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  return parts.length > 0 ? parts : ["_"];
}
