import { decodeUtf8, encodeUtf8, toHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { folderOf, joinPath } from "../base/paths.ts";
import { type InPlaceAnswer, inPlaceAnswerSchema } from "../api/in-place.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Random } from "../ports/random.ts";
import type { FolderFiles, UserFiles } from "../ports/user-files.ts";
import { lookAtFiles } from "../publish/content-stamp.ts";
import { realFiles } from "../publish/damaged-files.ts";
import { inPlaceFiles } from "../publish/in-place-files.ts";
import { infoOnDisk } from "../publish/in-place.ts";
import { STAMP_SLACK_MS } from "../publish/in-place-watch.ts";
import { createTorrent, type CreateOptions, type CreatePorts } from "./create-torrent.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { HUB_DATABASE, overlaps } from "./hub-folder.ts";
import { type OwnPublication, refusePrivateVersion, signVersion } from "./hand-version.ts";
import { inHubFolder } from "./input-files.ts";
import { sleep } from "./waiting.ts";

/** Functions that need write access to a hub's data folder. */
export interface HubFolderAccess {
  /** True when a program holds the lock at `path`. */
  isLocked(path: string): boolean;
  /** Keeps other users of this machine out of a folder. */
  closeFolder(path: string): Promise<void>;
  /**
   * Gives what root creates in the data folder of another user's hub to that user, because the hub
   * must read and remove it. Does nothing for other users.
   */
  giveToOwnerOf(folder: string, path: string): Promise<void>;
}

export interface PublishInPlacePorts extends CreatePorts {
  readonly random: Random;
  readonly hubFolder: HubFolderAccess;
}

export interface PublishInPlaceOptions extends Pick<
  CreateOptions,
  "kind" | "pieceLength" | "private" | "comment" | "onEvent" | "signal"
> {
  /** A file or a folder on this machine. It stays in place. */
  readonly path: string;
  /** The name to publish it under; that of the file or folder when absent. */
  readonly title: string | undefined;
  /** The hub's data folder. */
  readonly dataDir: string;
  /** It becomes the newest version of it (BEP 46). */
  readonly publication?: OwnPublication | undefined;
}

/** What was published, in JSON's types. */
export interface PublishedInPlace {
  readonly root: string;
  readonly bytes: number;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  /**
   * What must happen first: the hub does not run, or has no administrator. Null when it is
   * published.
   */
  readonly waitsFor: "start" | "setup" | null;
  /** Null while it waits. */
  readonly torrentId: string | null;
  /** The hub already had it, perhaps in its own folder. */
  readonly wasHere: boolean;
  /** Null while it waits. */
  readonly pageUrl: string | null;
  /** Its name on the hub. */
  readonly title: string | null;
  readonly magnet: string | null;
}

const POLL_MS = 200;
/**
 * A running hub checks for requests every second; it answers within this time unless its disk is
 * very slow.
 */
const ANSWER_MS = 60_000;

/**
 * Publishes content in place, without a copy: hashes it here, and leaves a request in the hub's
 * data folder. A running hub accepts it at once, a stopped one when it starts.
 *
 * @throws {CommandError} As `createTorrent`; `not-found` when DIR is not a hub's; `bad-plan` when
 * the path is, contains or lies in that folder; `changed` when the hub refuses.
 */
export async function publishInPlace(
  ports: PublishInPlacePorts,
  options: PublishInPlaceOptions,
): Promise<PublishedInPlace> {
  const { clock, hubFolder } = ports;
  const { publication } = options;
  if (publication) refusePrivateVersion(options.private);
  const disk = ports.files;
  const dataDir = disk.absolute(options.dataDir);
  refuseOtherFolder(disk, dataDir, options.dataDir);
  const path = realPathOf(disk, options.path);
  // A folder around it is refused as well: the hub would publish its own keys, and the content
  // would keep changing.
  if (overlaps(path, disk.real(dataDir))) throw inHubFolder(options.path, options.dataDir);
  const files = disk.below(dataDir);
  const places = inPlaceFiles(dataDir, toHex(ports.random.bytes(8)));
  try {
    await files.makeFolder(places.folder);
    await hubFolder.closeFolder(places.folder);
    await hubFolder.giveToOwnerOf(dataDir, places.folder);
  } catch (error) {
    throw diskTrouble(error, `write to ${options.dataDir}`, options.dataDir);
  }
  const root = folderOf(path);
  const { title, kind, pieceLength, comment, onEvent, signal } = options;
  try {
    const checkedAt = clock.wallMs();
    const created = await createTorrent(ports, {
      path,
      kind,
      pieceLength,
      comment,
      onEvent,
      signal,
      private: options.private,
      file: places.torrent,
      overwrite: false,
      dated: true,
    });
    const stamp = await stampSince(disk, checkedAt, { root, torrent: places.torrent });
    await hubFolder.giveToOwnerOf(dataDir, places.torrent);
    // A running hub looks for requests, so the request is complete, and owned by the hub's user,
    // before it gets its name.
    const prepared = `${places.request}.new`;
    const version = publication && signVersion(ports, publication, created);
    const request = { root, title, checkedAt, stamp, version };
    await files.write(prepared, encodeUtf8(JSON.stringify(request)));
    await hubFolder.giveToOwnerOf(dataDir, prepared);
    disk.rename(prepared, places.request);
    const answer = await answerOf(ports, files, { dataDir, path: places.answer, signal });
    const { bytes, infohashV1, infohashV2 } = created;
    const published = { root, bytes, infohashV1, infohashV2 };
    if (!answer || "waitsFor" in answer) {
      const waitsFor = answer?.waitsFor ?? "start";
      const nowhere = {
        torrentId: null,
        wasHere: false,
        title: null,
        pageUrl: null,
        magnet: null,
      };
      return { ...published, ...nowhere, waitsFor };
    }
    if ("problem" in answer) {
      throw new CommandError(answer.code, `The hub refuses to publish it. ${answer.problem}`, {
        subject: options.path,
        hint:
          answer.code === "not-readable"
            ? "let that user read the files and enter the folders above them (chmod, chgrp or setfacl)."
            : "fix that, then run the same command again.",
      });
    }
    return { ...published, ...answer, waitsFor: null };
  } catch (error) {
    await files.remove(`${places.request}.new`);
    await files.remove(places.request);
    await files.remove(places.torrent);
    throw error;
  } finally {
    files.close();
  }
}

/**
 * The stamps of the files, if they are unchanged since hashing began. The hub trusts the hashes
 * while the stamps stay the same, even if it starts much later.
 */
async function stampSince(
  disk: UserFiles,
  beginMs: number,
  { root, torrent }: { readonly root: string; readonly torrent: string },
): Promise<string | null> {
  const files = disk.below();
  const bytes = await files.read(torrent);
  invariant(bytes, "it was written a moment ago");
  const { info } = parseMetainfo(bytes);
  const onDisk = infoOnDisk({ content_root: root }, info);
  const paths = realFiles(onDisk).map(({ path }) => joinPath(root, ...path));
  const look = await lookAtFiles(paths, files);
  return look.newestMs + STAMP_SLACK_MS <= beginMs ? look.stamp : null;
}

/**
 * Waits while a hub runs there. @returns `undefined` when none runs, or when it does not answer in
 * time.
 */
async function answerOf(
  { clock, hubFolder }: PublishInPlacePorts,
  files: FolderFiles,
  how: { readonly dataDir: string; readonly path: string; readonly signal: AbortSignal },
): Promise<InPlaceAnswer | undefined> {
  const { dataDir, path, signal } = how;
  for (let waitedMs = 0; waitedMs < ANSWER_MS; waitedMs += POLL_MS) {
    const bytes = await files.read(path);
    if (bytes) {
      await files.remove(path);
      return inPlaceAnswerSchema.parse(JSON.parse(decodeUtf8(bytes)));
    }
    if (!hubFolder.isLocked(joinPath(dataDir, "lock"))) return undefined;
    await sleep(clock, POLL_MS, signal);
  }
  return undefined;
}

function refuseOtherFolder(disk: UserFiles, dataDir: string, named: string): void {
  if (disk.exists(joinPath(dataDir, HUB_DATABASE))) return;
  throw new CommandError("not-found", `${named} is not the data folder of a hub.`, {
    subject: named,
    hint: "the folder that everseed hub start names; everseed hub init makes a new one.",
  });
}

function realPathOf(disk: UserFiles, path: string): string {
  try {
    return disk.real(path);
  } catch (error) {
    throw diskTrouble(error, `read ${path}`, path);
  }
}
