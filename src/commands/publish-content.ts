import {
  type DeclaredDraft,
  declaredDraftSchema,
  type Draft,
  type DraftInput,
  draftSchema,
} from "../api/drafts.ts";
import { DRAFTS_PATH, draftPath } from "../api/paths.ts";
import type { TorrentSummary } from "../api/torrents.ts";
import { folderOf, joinPath } from "../base/paths.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import type { CommandRun, UploadPorts } from "./command-ports.ts";
import { HubClient, hubUnreachable, refusedByHub } from "./hub-client.ts";
import { type InputTree, listInput, type SkippedInput } from "./input-files.ts";
import { OrderedFiles } from "./ordered-files.ts";
import { sleep } from "./waiting.ts";

export interface PublishOptions
  extends CommandRun<PublishEvent>, Pick<DraftInput, "kind" | "pieceSize" | "private"> {
  /** A file or a folder. */
  readonly path: string;
  /** Address of the hub. */
  readonly hub: string;
  readonly token: string;
  /** The title, if it differs from the name of the file or folder. Files keep their names. */
  readonly name: string | undefined;
  readonly comment: string | undefined;
}

export type PublishEvent =
  | {
      readonly kind: "found";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
    }
  /** Left out of the publication. */
  | ({ readonly kind: "skipped" } & SkippedInput)
  /** The hub stores a different name, which every system accepts. */
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  /** Where the upload starts: past 0 when it resumes an earlier one. */
  | { readonly kind: "uploading"; readonly offset: number; readonly total: number }
  | { readonly kind: "sent"; readonly bytes: number };

/** What was published, in JSON's types. */
export interface PublishedTorrent {
  readonly name: string;
  readonly bytes: number;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  readonly magnet: string;
  readonly torrentUrl: string;
  readonly pageUrl: string;
  /** The same content was already published: at most the uploaded bytes are new. */
  readonly existed: boolean;
}

const POLL_MS = 250;

/**
 * Uploads content to a hub, which publishes it. If either side breaks off the upload, publishing
 * the same content again resumes it.
 *
 * @throws {CommandError} The disk's or the hub's refusal. Or the signal's reason.
 */
export async function publishContent(
  ports: UploadPorts,
  options: PublishOptions,
): Promise<PublishedTorrent> {
  const tree = await listInput(ports.files, options.path, { signal: options.signal });
  const bytes = tree.files.reduce((sum, file) => sum + file.length, 0);
  options.onEvent({
    kind: "found",
    name: options.name ?? tree.name,
    files: tree.files.length,
    bytes,
  });
  for (const skipped of tree.skipped) options.onEvent({ kind: "skipped", ...skipped });
  const { token, signal } = options;
  const hub = new HubClient(ports.calls, { base: options.hub, token, signal });
  const declared = await hub.ask(DRAFTS_PATH, declaredDraftSchema, declaration(tree, options));
  for (const { from, to } of declared.renamed) options.onEvent({ kind: "renamed", from, to });
  if (declared.state === "uploading" && declared.offset < declared.size) {
    await upload(ports, { tree, draft: declared, hub }, options);
  }
  return describe(await untilPublished(ports, { hub, first: declared, signal }));
}

function declaration(tree: InputTree, options: PublishOptions): DraftInput {
  return {
    name: tree.name,
    ...(options.name !== undefined && options.name !== tree.name && { title: options.name }),
    folder: tree.folder,
    files: tree.files.map(({ path, length, mtimeMs, executable }) => ({
      path: tree.folder ? path.join("/") : tree.name,
      size: length,
      modified: Math.trunc(mtimeMs),
      ...(executable && { executable }),
    })),
    kind: options.kind,
    pieceSize: options.pieceSize,
    private: options.private,
    ...(options.comment !== undefined && { comment: options.comment }),
  };
}

/**
 * Sends what the hub does not have yet, and retries through short failures of the network or the
 * hub.
 */
async function upload(
  { files: disk, uploads }: UploadPorts,
  what: { readonly tree: InputTree; readonly draft: DeclaredDraft; readonly hub: HubClient },
  { hub: base, onEvent, signal }: PublishOptions,
): Promise<void> {
  const { tree, draft, hub } = what;
  const files = orderedFiles(disk, tree, draft.order);
  onEvent({ kind: "uploading", offset: draft.offset, total: draft.size });
  try {
    const outcome = await uploads.upload({
      url: hub.url(draft.uploadPath),
      headers: hub.headers,
      size: files.size,
      read: (start, end) => files.read(start, end),
      onProgress: (bytes) => onEvent({ kind: "sent", bytes }),
      signal,
    });
    if (outcome.kind === "done") return;
    if (outcome.kind === "refused") throw refusedByHub(outcome.status, outcome.body, base);
    const { cause } = outcome;
    throw cause instanceof CommandError ? cause : hubUnreachable(base, cause);
  } finally {
    await files.close();
  }
}

function orderedFiles(
  disk: UserFiles,
  { folder, root, files }: InputTree,
  order: readonly number[],
): OrderedFiles {
  const placed = order.map((index) => {
    const file = files[index];
    if (!file) {
      throw new CommandError("unreachable", "The hub asks for a file that was not declared.");
    }
    return { path: joinPath(root, ...file.path), length: file.length };
  });
  if (folder) return new OrderedFiles(disk.below(root), placed);
  // The user may have named a single file by a link to it.
  const named = placed.map(({ path, length }) => ({ path: realPathOf(disk, path), length }));
  return new OrderedFiles(disk.below(folderOf(named[0]?.path ?? root)), named);
}

function realPathOf(disk: UserFiles, path: string): string {
  try {
    return disk.real(path);
  } catch (error) {
    throw diskTrouble(error, `read ${path}`, path);
  }
}

/** The hub may need a moment after the last byte. */
async function untilPublished(
  { clock }: Pick<UploadPorts, "clock">,
  how: { readonly hub: HubClient; readonly first: Draft; readonly signal: AbortSignal },
): Promise<Draft> {
  const { hub, first, signal } = how;
  for (let draft = first; ; draft = await hub.ask(draftPath(first.id), draftSchema)) {
    if (draft.state === "published") return draft;
    if (draft.state === "failed") {
      throw new CommandError(
        "changed",
        `The hub could not publish it. ${draft.problem ?? ""}`.trim(),
        {
          hint: "run the same command again; the uploaded bytes are kept.",
        },
      );
    }
    await sleep(clock, POLL_MS, signal);
  }
}

function describe({ id, torrent }: Draft): PublishedTorrent {
  if (!torrent) {
    throw new CommandError("unreachable", "The hub published it and does not say where.");
  }
  // The torrent of content published earlier keeps its old id. Only the id shows this, because
  // empty files are published as soon as they are declared.
  return describePublished(torrent, torrent.id !== id);
}

export function describePublished(torrent: TorrentSummary, existed: boolean): PublishedTorrent {
  const { name, size, infohashV1, infohashV2, magnet, torrentUrl, pageUrl } = torrent;
  return { name, bytes: size, infohashV1, infohashV2, magnet, torrentUrl, pageUrl, existed };
}
