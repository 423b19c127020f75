import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DetailedError, Upload } from "tus-js-client";
import {
  type DeclaredDraft,
  declaredDraftSchema,
  type Draft,
  type DraftInput,
  draftSchema,
} from "../api/drafts.ts";
import { DRAFTS_PATH, draftPath } from "../api/paths.ts";
import type { TorrentSummary } from "../api/torrents.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { HubClient, hubUnreachable, refusedByHub } from "./hub-client.ts";
import { type InputTree, listInput, type SkippedInput } from "./input-files.ts";
import { OrderedFiles } from "./ordered-files.ts";

export interface PublishOptions extends Pick<DraftInput, "kind" | "pieceSize" | "private"> {
  /** A file or a folder. */
  readonly path: string;
  /** Address of the hub. */
  readonly hub: string;
  readonly token: string;
  /** The title, when it is not the name of the file or folder. No file is renamed. */
  readonly name: string | undefined;
  readonly comment: string | undefined;
  readonly onEvent: (event: PublishEvent) => void;
  readonly signal: AbortSignal;
}

export type PublishEvent =
  | {
      readonly kind: "found";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
    }
  /** Not published. */
  | ({ readonly kind: "skipped" } & SkippedInput)
  /** The hub stores a name differently, so that every system can. */
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  /** Where the upload begins: not at 0 when an earlier one goes on. */
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
  /** The same was published before: nothing is new but perhaps the bytes that were sent. */
  readonly existed: boolean;
}

/** One request carries this much; after each the hub has said what it keeps. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** A hub that restarts is back within half a minute. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000];
const POLL_MS = 250;

/**
 * Uploads content to a hub, which publishes it. An upload that was broken off, by either side, goes on
 * where it stopped when the same is published again.
 *
 * @throws {CommandError} What the disk or the hub refuses. Or the signal's reason.
 */
export async function publishContent(options: PublishOptions): Promise<PublishedTorrent> {
  const tree = await listInput(options.path, { signal: options.signal });
  const bytes = tree.files.reduce((sum, file) => sum + file.length, 0);
  options.onEvent({
    kind: "found",
    name: options.name ?? tree.name,
    files: tree.files.length,
    bytes,
  });
  for (const skipped of tree.skipped) options.onEvent({ kind: "skipped", ...skipped });
  const hub = new HubClient({ base: options.hub, token: options.token, signal: options.signal });
  const declared = await hub.ask(DRAFTS_PATH, declaredDraftSchema, declaration(tree, options));
  for (const { from, to } of declared.renamed) options.onEvent({ kind: "renamed", from, to });
  if (declared.state === "uploading" && declared.offset < declared.size) {
    await upload(tree, declared, hub, options);
  }
  return describe(await untilPublished(hub, declared, options.signal));
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

/** Sends what the hub does not have yet, through short failures of the network or the hub. */
async function upload(
  tree: InputTree,
  draft: DeclaredDraft,
  hub: HubClient,
  options: PublishOptions,
): Promise<void> {
  const { signal, onEvent } = options;
  const files = orderedFiles(tree, draft.order);
  onEvent({ kind: "uploading", offset: draft.offset, total: draft.size });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tus = new Upload(Buffer.alloc(0), {
    uploadUrl: hub.url(draft.uploadPath),
    headers: { ...hub.headers },
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    storeFingerprintForResuming: false,
    fileReader: { openFile: () => Promise.resolve(sourceOf(files)) },
    onProgress: (sent) => onEvent({ kind: "sent", bytes: sent }),
    onSuccess: () => resolve(),
    onError: (error) => reject(uploadTrouble(error, options.hub)),
  });
  const stop = (): void => {
    void tus.abort();
    reject(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    tus.start();
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    await files.close();
  }
}

function orderedFiles({ folder, root, files }: InputTree, order: readonly number[]): OrderedFiles {
  const placed = order.map((index) => {
    const { path, length } = files[index]!;
    return { path: join(root, ...path), length };
  });
  if (folder) return new OrderedFiles(root, placed);
  // A person may name one file by a link to it.
  const named = placed.map(({ path, length }) => ({ path: realPathOf(path), length }));
  return new OrderedFiles(dirname(named[0]?.path ?? root), named);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw diskTrouble(error, `read ${path}`, path);
  }
}

function sourceOf(files: OrderedFiles) {
  return {
    size: files.size,
    async slice(start: number, end: number) {
      const value = await files.read(start, end);
      // The client asks a chunk for its size by this name.
      return { value: Object.assign(value, { size: value.length }), done: end >= files.size };
    },
    close: () => undefined,
  };
}

function uploadTrouble(error: Error, base: string): unknown {
  if (!(error instanceof DetailedError)) return error;
  const { originalResponse, causingError } = error;
  if (causingError instanceof CommandError) return causingError;
  if (originalResponse) {
    return refusedByHub(originalResponse.getStatus(), originalResponse.getBody(), base);
  }
  return hubUnreachable(base, causingError ?? error);
}

/** The hub may need a moment after the last byte. */
async function untilPublished(hub: HubClient, first: Draft, signal: AbortSignal): Promise<Draft> {
  for (let draft = first; ; draft = await hub.ask(draftPath(first.id), draftSchema)) {
    if (draft.state === "published") return draft;
    if (draft.state === "failed") {
      throw new CommandError(
        "changed",
        `The hub could not publish it. ${draft.problem ?? ""}`.trim(),
        {
          hint: "the same again; what was uploaded is kept.",
        },
      );
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

function describe({ id, torrent }: Draft): PublishedTorrent {
  if (!torrent) {
    throw new CommandError("unreachable", "The hub published it and does not say where.");
  }
  // The torrent of content that was here before has the id of that time. Nothing else tells: empty files are published as
  // soon as they are declared.
  return describePublished(torrent, torrent.id !== id);
}

export function describePublished(torrent: TorrentSummary, existed: boolean): PublishedTorrent {
  const { name, size, infohashV1, infohashV2, magnet, torrentUrl, pageUrl } = torrent;
  return { name, bytes: size, infohashV1, infohashV2, magnet, torrentUrl, pageUrl, existed };
}
