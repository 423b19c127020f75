import type { z } from "zod";
import { type InPlaceAnswer, inPlaceRequestSchema } from "../api/in-place.ts";
import { issueWords } from "../api/issue-words.ts";
import { torrentPagePath, webSeedPath } from "../api/paths.ts";
import { versionItem } from "../api/versions.ts";
import { decodeUtf8, encodeUtf8, toHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { joinPath } from "../base/paths.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { type Catalogue, magnetOf } from "../publish/catalogue.ts";
import { IN_PLACE_FOLDER, inPlaceFiles } from "../publish/in-place-files.ts";
import { infoOnDisk } from "../publish/in-place.ts";
import { PublishError } from "../publish/publish-error.ts";
import { randomShortId } from "../publish/short-id.ts";
import type { TorrentAdoption } from "../publish/torrent-adoption.ts";
import type { TorrentVersions } from "../publish/torrent-versions.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { hubFolderOf, overlaps } from "./hub-folder.ts";

/** How often a running hub checks for requests. */
const LOOK_MS = 1_000;

export interface InPlaceInboxOptions {
  /** Absolute. */
  readonly dataDir: string;
  readonly adoption: Pick<TorrentAdoption, "adoptInPlace">;
  readonly versions: Pick<TorrentVersions, "accept">;
  /** The owner of the torrents; `undefined` until there is an administrator. */
  readonly ownerId: () => Promise<string | undefined>;
  readonly catalogue: Pick<Catalogue, "find">;
  /** Without a trailing slash. */
  readonly siteUrl: string;
  /** The announce URLs of this hub. */
  readonly trackers: readonly string[];
  /** Below the data folder. */
  readonly files: Files;
  /** Finds what a path of the request leads to. */
  readonly paths: Pick<UserFiles, "exists" | "real">;
  readonly clock: Pick<Clock, "startTimer">;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Publishes content that is on the hub's machine. Requests come through the data folder: a user who
 * can write there owns the hub, so no path of this machine is ever taken from the network.
 */
export class InPlaceInbox {
  readonly #options: InPlaceInboxOptions;
  /** Requests that wait until there is an owner for their torrents. */
  readonly #waiting = new Set<string>();
  #timer: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: InPlaceInboxOptions) {
    this.#options = options;
  }

  /** Checks for requests now, and then every second. */
  async start(): Promise<void> {
    const { dataDir, files } = this.#options;
    const folder = joinPath(dataDir, IN_PLACE_FOLDER);
    // Answers of an earlier run have no reader any more.
    for (const entry of await files.list(folder)) {
      if (entry.endsWith(".answer")) await files.remove(joinPath(folder, entry));
    }
    await this.look();
    this.#lookLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#work;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.startTimer(LOOK_MS, () => {
      this.#work = this.look().then(() => this.#lookLater());
    });
  }

  /** Handles the pending requests. Never rejects: failures go into the answer, or into the log. */
  async look(): Promise<void> {
    const { dataDir, files, ownerId, log } = this.#options;
    try {
      for (const entry of await files.list(joinPath(dataDir, IN_PLACE_FOLDER))) {
        const name = /^([0-9a-z]+)\.request$/.exec(entry)?.[1];
        if (name === undefined) continue;
        // Without an administrator the requests wait; the hub accepts them after its set-up.
        const owner = await ownerId();
        if (owner === undefined) await this.#letWait(name);
        else await this.#handle(name, owner);
      }
    } catch (error) {
      log.warn("cannot read the requests to publish in place", { why: String(error) });
    }
  }

  /** Answers once that the request waits, and why. */
  async #letWait(name: string): Promise<void> {
    if (this.#waiting.has(name)) return;
    const { dataDir, files } = this.#options;
    const answer: InPlaceAnswer = { waitsFor: "setup" };
    await files.write(inPlaceFiles(dataDir, name).answer, encodeUtf8(JSON.stringify(answer)));
    this.#waiting.add(name);
  }

  async #handle(name: string, ownerId: string): Promise<void> {
    const { dataDir, files, log } = this.#options;
    const places = inPlaceFiles(dataDir, name);
    let answer: InPlaceAnswer;
    try {
      answer = await this.#publish(places, ownerId);
    } catch (error) {
      const { problem } = problemOf(error);
      log.warn("cannot publish a folder in place", { why: problem, error: String(error) });
      answer = problemOf(error);
    }
    // A request that waited for the set-up has no reader for its answer any more.
    if (this.#waiting.delete(name)) await files.remove(places.answer);
    else await files.write(places.answer, encodeUtf8(JSON.stringify(answer)));
    await files.remove(places.request);
    await files.remove(places.torrent);
  }

  async #publish(places: ReturnType<typeof inPlaceFiles>, ownerId: string): Promise<InPlaceAnswer> {
    const { files, random, adoption, versions, log } = this.#options;
    const [request, torrent] = await Promise.all([
      files.read(places.request),
      files.read(places.torrent),
    ]);
    if (!request || !torrent) throw new PublishError("not-found", "The request is incomplete.");
    const { root, title, checkedAt, stamp, version } = readRequest(request);
    const metainfo = parseMetainfo(torrent);
    refuseHubFolder(this.#options, root, metainfo.info);
    const id = randomShortId(random);
    const torrentId = await adoption.adoptInPlace(metainfo, {
      id,
      ownerId,
      contentRoot: root,
      title,
      stamp,
      checkedMs: checkedAt,
    });
    const { v1, v2 } = metainfo.info.infohashes;
    log.info("a folder was published in place", { id: torrentId, infohash: toHex((v1 ?? v2)!) });
    if (version) await versions.accept(torrentId, versionItem(version));
    return { torrentId, wasHere: torrentId !== id, ...(await this.#addressesOf(torrentId)) };
  }

  /** The title of a torrent and the addresses that lead to it. */
  async #addressesOf(id: string): Promise<{ title: string; pageUrl: string; magnet: string }> {
    const { catalogue, siteUrl, trackers } = this.#options;
    const listing = await catalogue.find(id);
    invariant(listing, "what was published a moment ago is in the catalogue");
    const { name: title } = listing;
    const webSeeds = [siteUrl + webSeedPath(id)];
    const pageUrl = siteUrl + torrentPagePath(id, title);
    return { title, pageUrl, magnet: magnetOf(listing, { trackers, webSeeds }) };
  }
}

/**
 * The command that made the request has checked this too, but the hub does not rely on it: what it publishes, strangers
 * can read.
 *
 * @throws {CommandError} `bad-plan` when the content is a hub's data folder, lies in it or holds it.
 */
function refuseHubFolder(
  { dataDir, paths }: Pick<InPlaceInboxOptions, "dataDir" | "paths">,
  root: string,
  info: TorrentInfo,
): void {
  const onDisk = infoOnDisk({ content_root: root }, info);
  const ours = paths.real(dataDir);
  for (const top of new Set(onDisk.files.map(({ path }) => path[0]!))) {
    const named = joinPath(root, top);
    // Adoption refuses what is absent, in better words.
    if (!paths.exists(named)) continue;
    const place = paths.real(named);
    if (overlaps(place, ours) || hubFolderOf(paths, place) !== undefined) {
      throw new CommandError(
        "bad-plan",
        "It belongs to the data folder of a hub, or holds it: keys and passwords are not content.",
      );
    }
  }
}

/** @throws {CommandError} `bad-plan` with what is wrong. */
function readRequest(bytes: Uint8Array): z.output<typeof inPlaceRequestSchema> {
  const request = inPlaceRequestSchema.safeParse(parseJson(bytes));
  if (request.success) return request.data;
  throw new CommandError("bad-plan", issueWords(request.error));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes));
  } catch {
    return undefined;
  }
}

/** Explains why content is not published, with a code that the command line knows. */
function problemOf(error: unknown): Extract<InPlaceAnswer, { problem: string }> {
  if (error instanceof CommandError) return { problem: error.detail, code: "bad-plan" };
  if (error instanceof MetainfoError) return { problem: error.detail, code: "bad-plan" };
  if (error instanceof PublishError) return { problem: error.detail, code: "changed" };
  const code = systemCode(error);
  if (code === undefined) return { problem: `${String(error)}.`, code: "changed" };
  const path = error instanceof Error && "path" in error ? String(error.path) : "its files";
  if (code === "EACCES" || code === "EPERM") {
    const problem = `The user whom the hub runs as may not read ${path}.`;
    return { problem, code: "not-readable" };
  }
  return { problem: diskTrouble(error, `read ${path}`).detail, code: "disk-error" };
}
