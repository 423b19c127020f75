import { randomBytes } from "node:crypto";
import { chmod, chown, readFile, realpath, rename, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type InPlaceAnswer, inPlaceAnswerSchema } from "../api/in-place.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { isLocked } from "../platform/lock-file.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { lookAtFiles } from "../publish/content-stamp.ts";
import { realFiles } from "../publish/damaged-files.ts";
import { inPlaceFiles } from "../publish/in-place-files.ts";
import { infoOnDisk } from "../publish/in-place.ts";
import { STAMP_SLACK_MS } from "../publish/in-place-watch.ts";
import { createTorrent, type CreateOptions } from "./create-torrent.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { HUB_DATABASE, overlaps } from "./hub-folder.ts";
import { inHubFolder } from "./input-files.ts";

export interface PublishInPlaceOptions extends Pick<
  CreateOptions,
  "kind" | "pieceLength" | "private" | "comment" | "onPlan" | "onProgress" | "signal"
> {
  /** A file or a folder on this machine. It stays where it is. */
  readonly path: string;
  /** To publish it under; the name of the file or folder when absent. */
  readonly title: string | undefined;
  /** The hub's data folder. */
  readonly dataDir: string;
}

/** What was published, in JSON's types. */
export interface PublishedInPlace {
  readonly root: string;
  readonly bytes: number;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  /** What has to come first: the hub does not run, or has no administrator. Null when it is published. */
  readonly waitsFor: "start" | "setup" | null;
  /** Null as long as it waits. */
  readonly torrentId: string | null;
  /** The hub had it already, perhaps in its own folder. */
  readonly wasHere: boolean;
  /** Null as long as it waits. */
  readonly pageUrl: string | null;
  /** What it is called there. */
  readonly title: string | null;
  readonly magnet: string | null;
}

const POLL_MS = 200;
/** A running hub looks each second; longer it does not take, unless its disk is very slow. */
const ANSWER_MS = 60_000;

/**
 * Publishes content where it lies, without a copy: hashes it here, and leaves the request in the hub's data folder. A
 * hub that runs takes it in at once, one that does not when it starts.
 *
 * @throws {CommandError} As `createTorrent`; `not-found` when DIR is no hub's; `bad-plan` when the path is that folder,
 *   in it or around it; `changed` when the hub refuses.
 */
export async function publishInPlace(options: PublishInPlaceOptions): Promise<PublishedInPlace> {
  const dataDir = resolve(options.dataDir);
  await refuseOtherFolder(dataDir, options.dataDir);
  const path = await realpath(options.path).catch((error: unknown) => {
    throw diskTrouble(error, `read ${options.path}`, options.path);
  });
  // Also around it: the hub would publish its own keys, and what it publishes would change all the time.
  if (overlaps(path, await realpath(dataDir))) throw inHubFolder(options.path, options.dataDir);
  const files = new NodeFiles(dataDir);
  const places = inPlaceFiles(dataDir, randomBytes(8).toString("hex"));
  try {
    await files.makeFolder(places.folder);
    await chmod(places.folder, 0o700);
    await giveToHub(dataDir, places.folder);
  } catch (error) {
    throw diskTrouble(error, `write to ${options.dataDir}`, options.dataDir);
  }
  const root = dirname(path);
  const { title, kind, pieceLength, comment, onPlan, onProgress, signal } = options;
  try {
    const checkedAt = Date.now();
    const created = await createTorrent({
      path,
      kind,
      pieceLength,
      comment,
      onPlan,
      onProgress,
      signal,
      private: options.private,
      file: places.torrent,
      overwrite: false,
      dated: true,
    });
    const stamp = await stampSince(checkedAt, root, places.torrent);
    await giveToHub(dataDir, places.torrent);
    // A hub that runs looks for requests: this one is whole, and its own, before it has the name.
    const prepared = `${places.request}.new`;
    await files.write(prepared, Buffer.from(JSON.stringify({ root, title, checkedAt, stamp })));
    await giveToHub(dataDir, prepared);
    await rename(prepared, places.request);
    const answer = await answerOf(dataDir, places.answer, signal);
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
      throw new CommandError(answer.code, `The hub does not publish it. ${answer.problem}`, {
        subject: options.path,
        hint:
          answer.code === "not-readable"
            ? "let that user read the files and enter the folders above them (chmod, chgrp or setfacl)."
            : "mend what it says, then the same again.",
      });
    }
    return { ...published, ...answer, waitsFor: null };
  } catch (error) {
    await files.remove(`${places.request}.new`);
    await files.remove(places.request);
    await files.remove(places.torrent);
    throw error;
  }
}

/**
 * What the files look like, if that is what they looked like when they began to be read. The hub believes the hashes for as
 * long as they look so, also when it starts much later.
 */
async function stampSince(beginMs: number, root: string, torrent: string): Promise<string | null> {
  const { info } = parseMetainfo(await readFile(torrent));
  const onDisk = infoOnDisk({ content_root: root }, info);
  const paths = realFiles(onDisk).map(({ path }) => join(root, ...path));
  const look = await lookAtFiles(paths, new NodeFiles());
  return look.newestMs + STAMP_SLACK_MS <= beginMs ? look.stamp : null;
}

/** What root makes in the data folder of another user's hub belongs to that user: the hub has to read and remove it. */
async function giveToHub(dataDir: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dataDir);
  await chown(path, uid, gid);
}

/** Waits as long as a hub runs there. @returns `undefined` when none does, or it does not answer in time. */
async function answerOf(
  dataDir: string,
  path: string,
  signal: AbortSignal,
): Promise<InPlaceAnswer | undefined> {
  const files = new NodeFiles(dataDir);
  for (let waitedMs = 0; waitedMs < ANSWER_MS; waitedMs += POLL_MS) {
    const bytes = await files.read(path);
    if (bytes) {
      await files.remove(path);
      return inPlaceAnswerSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
    }
    if (!isLocked(join(dataDir, "lock"))) return undefined;
    await sleep(POLL_MS, undefined, { signal });
  }
  return undefined;
}

async function refuseOtherFolder(dataDir: string, named: string): Promise<void> {
  try {
    await stat(join(dataDir, HUB_DATABASE));
  } catch (error) {
    throw new CommandError("not-found", `${named} is no data folder of a hub.`, {
      subject: named,
      hint: "the folder that everseed hub start names; everseed hub init makes a new one.",
      cause: error,
    });
  }
}
