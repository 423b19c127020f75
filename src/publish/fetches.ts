import { type Infohashes, infohashKey, wireInfohashes } from "../base/infohash.ts";
import { formatBytes } from "../base/format-bytes.ts";
import { decodeResume } from "../engine/resume-codec.ts";
import { formatMagnet, magnetOfInfohash, parseMagnet } from "../metainfo/magnet.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { FetchRow, FetchTable } from "../store/fetches.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { FetchedTorrent, TorrentAdoption } from "./torrent-adoption.ts";
import type { Fetch } from "./fetch-state.ts";
import { FetchRun, type FetchRunOptions, type FetchSource, NOTHING_YET } from "./fetch-run.ts";
import { PublishError } from "./publish-error.ts";
import type { Random } from "../ports/random.ts";
import { randomShortId } from "./short-id.ts";
import type { SpaceAccount } from "./space-account.ts";
import type { SwarmRegistry } from "./swarm-registry.ts";

/** Fetches that one person may have in progress. */
const FETCHES_MAX = 50;

export interface FetchesOptions extends Omit<FetchRunOptions, "row" | "source" | "judge"> {
  readonly fetches: FetchTable;
  readonly torrents: Pick<TorrentTable, "find" | "findByWire">;
  readonly space: SpaceAccount;
  readonly adoption: TorrentAdoption;
  /** Learns which torrents are being fetched. It remembers by itself what was being fetched at the last stop. */
  readonly swarms: Pick<SwarmRegistry, "setFetched">;
  readonly random: Random;
  /** Limit of bytes for one torrent; with `undefined`, the disk is the limit. */
  readonly bytesMax: number | undefined;
}

/**
 * Torrents that somebody supplied as a .torrent file or magnet link. The hub fetches each from its swarm, keeps its
 * infohash, and publishes it when it is whole. Unfinished fetches continue after a restart.
 */
export class Fetches {
  readonly #options: FetchesOptions;
  readonly #runs = new Map<string, FetchRun>();
  #closed = false;
  #beginning: Promise<unknown> = Promise.resolve();

  constructor(options: FetchesOptions) {
    this.#options = options;
  }

  /** Continues unfinished fetches. */
  async start(): Promise<void> {
    const { fetches, swarms, log } = this.#options;
    for (const row of await fetches.listOpen()) {
      if (row.problem !== null) continue;
      try {
        const source = await this.#load(row);
        if ("metainfo" in source) await this.#keepPromise(row.id, source.metainfo.info);
        this.#run(row, source);
      } catch (error) {
        log.error("a torrent cannot be fetched on", { id: row.id, why: String(error) });
        swarms.setFetched(row.infohash, false);
        await fetches.setProblem(row.id, wordsOf(error));
      }
    }
  }

  /** Stops; the next `start` continues. */
  async stop(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#runs.values()].map((run) => run.stop()));
  }

  /**
   * Starts to fetch a torrent, or finds it when it is published or being fetched.
   *
   * @param source - The bytes of a .torrent file, a magnet link, or an infohash.
   * @returns The fetch; it has a `torrentId` when the torrent was already here.
   * @throws {PublishError} (rejects) `bad-declaration`, `too-large`, `disk-full`, `too-many-drafts`.
   */
  async begin(ownerId: string, source: Uint8Array | string): Promise<Fetch> {
    const parsed = parseSource(source);
    // One at a time, so that simultaneous requests are counted, and a double click is one fetch.
    const begun = this.#beginning.then(() => this.#begin(ownerId, source, parsed));
    this.#beginning = begun.catch(() => undefined);
    return begun;
  }

  async #begin(ownerId: string, source: Uint8Array | string, parsed: FetchSource): Promise<Fetch> {
    if (this.#closed) throw new PublishError("closed", "This hub is shutting down.");
    const infohashes = infohashesOf(parsed);
    const { fetches, torrents, swarms, files, folder, random, clock, space } = this.#options;
    for (const wire of wireInfohashes(infohashes)) {
      const known = await torrents.findByWire(wire);
      if (known) return publishedAs(known, wire);
      const before = await fetches.findByInfohash(wire);
      if (before && before.torrent_id === null && before.problem === null)
        return this.#view(before);
      // It failed, or led to a torrent that is gone: begin again.
      if (before) await this.#discard(before);
    }
    if ((await fetches.listOpen(ownerId)).length >= FETCHES_MAX) {
      throw new PublishError(
        "too-many-drafts",
        `${FETCHES_MAX} torrents are on their way. Wait for one of them, or cancel it.`,
      );
    }
    const id = await this.#freeId(random);
    const row: FetchRow = {
      id,
      owner_id: ownerId,
      magnet: "magnet" in parsed ? formatMagnet(parsed.magnet) : null,
      infohash: wireInfohashes(infohashes)[0]!,
      name: nameOf(parsed),
      problem: null,
      torrent_id: null,
      created_at: clock.wallMs(),
    };
    if ("metainfo" in parsed) await this.#judge(parsed.metainfo.info, id);
    try {
      if ("metainfo" in parsed) await files.write(folder.fetchSource(id), source as Uint8Array);
      await fetches.insert(row);
      swarms.setFetched(row.infohash, true);
      this.#run(row, parsed);
    } catch (error) {
      space.release(id);
      throw error;
    }
    return this.#view(row);
  }

  async find(id: string): Promise<Fetch | undefined> {
    const row = await this.#options.fetches.find(id);
    return row && this.#view(row);
  }

  /** A person's fetches that have not ended, oldest first. */
  async listOpen(ownerId: string): Promise<Fetch[]> {
    const rows = await this.#options.fetches.listOpen(ownerId);
    return rows.map((row) => this.#view(row));
  }

  /**
   * Retries a failed fetch with the data that is here.
   *
   * @throws {PublishError} (rejects) Like `begin`; `not-found` when it did not fail.
   */
  async retry(id: string): Promise<void> {
    const retried = this.#beginning.then(() => this.#retry(id));
    this.#beginning = retried.catch(() => undefined);
    return retried;
  }

  async #retry(id: string): Promise<void> {
    const { fetches, swarms } = this.#options;
    if (this.#closed) throw new PublishError("closed", "This hub is shutting down.");
    const row = await fetches.find(id);
    if (!row || row.problem === null || row.torrent_id !== null) {
      throw new PublishError("not-found", "There is no such fetch, or it did not fail.");
    }
    const source = await this.#load(row);
    if ("metainfo" in source) await this.#judge(source.metainfo.info, id);
    await fetches.setProblem(id, null);
    swarms.setFetched(row.infohash, true);
    this.#run({ ...row, problem: null }, source);
  }

  /**
   * Cancels it and deletes everything that was fetched.
   *
   * @throws {PublishError} (rejects) `not-found` when it is published or gone.
   */
  async cancel(id: string): Promise<void> {
    const row = await this.#options.fetches.find(id);
    if (!row || row.torrent_id !== null) {
      throw new PublishError("not-found", "There is no such fetch, or it has ended.");
    }
    await this.#discard(row);
  }

  async #discard({ id, infohash }: FetchRow): Promise<void> {
    const { fetches, swarms, files, folder, space } = this.#options;
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    await run?.stop();
    space.release(id);
    await fetches.delete(id);
    swarms.setFetched(infohash, false);
    await files.remove(folder.fetch(id));
  }

  #run(row: FetchRow, source: FetchSource): void {
    const run = new FetchRun({
      ...this.#options,
      row,
      source,
      judge: async (info) => {
        await this.#judge(info, row.id);
        // It was cancelled meanwhile.
        if (!this.#runs.has(row.id)) this.#options.space.release(row.id);
      },
    });
    this.#runs.set(row.id, run);
    void this.#follow(row, run);
  }

  /** Never rejects: the result is stored. */
  async #follow(row: FetchRow, run: FetchRun): Promise<void> {
    const { fetches, swarms, log, space } = this.#options;
    try {
      const fetched = await run.done;
      if (!fetched || this.#runs.get(row.id) !== run) return;
      await this.#publish(row, fetched);
      log.info("a torrent was fetched and is published", { id: row.id, name: fetched.info.name });
    } catch (error) {
      log.warn("a torrent could not be fetched", { id: row.id, why: String(error) });
      await run.stop();
      swarms.setFetched(row.infohash, false);
      // A database that fails now will also fail at the next start, which reports it.
      await fetches.setProblem(row.id, wordsOf(error)).catch(() => undefined);
    } finally {
      if (this.#runs.get(row.id) === run) {
        this.#runs.delete(row.id);
        space.release(row.id);
      }
    }
  }

  async #publish(row: FetchRow, fetched: FetchedTorrent): Promise<void> {
    const { fetches, adoption, swarms, files, folder } = this.#options;
    const torrentId = await adoption.adopt(fetched, {
      id: row.id,
      ownerId: row.owner_id,
      contentFolder: folder.fetchContent(row.id),
    });
    if (torrentId === row.id) await fetches.delete(row.id);
    else await fetches.setPublished(row.id, torrentId);
    swarms.setFetched(row.infohash, false);
    await files.remove(folder.fetch(row.id));
  }

  async #load(row: FetchRow): Promise<FetchSource> {
    const { files, folder } = this.#options;
    if (row.magnet !== null) return { magnet: parseMagnet(row.magnet) };
    const bytes = await files.read(folder.fetchSource(row.id));
    if (!bytes) throw new PublishError("disk-error", "Its .torrent file is gone from the disk.");
    return { metainfo: parseMetainfo(bytes) };
  }

  /**
   * Refuses a torrent that this hub will not publish, and reserves space otherwise.
   *
   * @throws {PublishError} (rejects)
   */
  async #judge(info: TorrentInfo, id: string): Promise<void> {
    const { bytesMax, space } = this.#options;
    const size = info.geometry.dataLength;
    if (info.private) {
      throw new PublishError(
        "bad-declaration",
        "This torrent is private: it belongs to the members of its trackers, and its addresses may hold " +
          "your key. A hub shows what it has to everybody, so it does not publish it.",
      );
    }
    if (bytesMax !== undefined && size > bytesMax) {
      throw new PublishError(
        "too-large",
        `The limit here is ${formatBytes(bytesMax)}; this is ${formatBytes(size)}.`,
      );
    }
    const here = await this.#bytesHere(id, info);
    await space.claim(size - here, () => this.#promise(id, size, here));
  }

  /** Its space was reserved before a restart, so it is not claimed again. */
  async #keepPromise(id: string, info: TorrentInfo): Promise<void> {
    this.#promise(id, info.geometry.dataLength, await this.#bytesHere(id, info));
  }

  /** @param here - Bytes on the disk from an earlier run. */
  #promise(id: string, size: number, here: number): void {
    this.#options.space.promise(id, () => {
      const done = this.#runs.get(id)?.figures().bytesDone ?? 0;
      return Math.max(0, size - Math.max(done, here));
    });
  }

  /** As far as its progress was stored. */
  async #bytesHere(id: string, { geometry }: TorrentInfo): Promise<number> {
    const { files, folder } = this.#options;
    const bytes = await files.read(folder.fetchResume(id));
    const resume = bytes && decodeResume(bytes);
    return Math.min(geometry.dataLength, (resume?.have.count ?? 0) * geometry.pieceLength);
  }

  async #freeId(random: Random): Promise<string> {
    for (;;) {
      const id = randomShortId(random);
      if (!(await this.#options.torrents.find(id))) return id;
    }
  }

  #view(row: FetchRow): Fetch {
    const base = {
      id: row.id,
      ownerId: row.owner_id,
      name: row.name,
      createdMs: row.created_at,
      infohash: row.infohash,
      problem: row.problem,
      torrentId: row.torrent_id,
    };
    if (row.torrent_id !== null) return { ...base, ...NOTHING_YET, state: "published" };
    if (row.problem !== null) return { ...base, ...NOTHING_YET, state: "failed" };
    const run = this.#runs.get(row.id);
    return run ? { ...base, ...run.figures() } : { ...base, ...NOTHING_YET, state: "finding" };
  }
}

function parseSource(source: Uint8Array | string): FetchSource {
  try {
    return typeof source === "string"
      ? { magnet: parseMagnet(magnetOfInfohash(source) ?? source) }
      : { metainfo: parseMetainfo(source) };
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    const words = typeof source === "string" ? "This is" : "This is no torrent:";
    throw new PublishError("bad-declaration", `${words} ${error.detail}.`, { cause: error });
  }
}

function infohashesOf(source: FetchSource): Infohashes {
  return "metainfo" in source ? source.metainfo.info.infohashes : source.magnet.infohashes;
}

function nameOf(source: FetchSource): string {
  if ("metainfo" in source) return source.metainfo.info.name;
  const { name, infohashes } = source.magnet;
  return name ?? infohashKey(wireInfohashes(infohashes)[0]!);
}

function wordsOf(error: unknown): string {
  if (error instanceof PublishError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

function publishedAs(row: TorrentRow, infohash: Uint8Array): Fetch {
  return {
    id: row.id,
    ownerId: row.publisher_id,
    infohash,
    name: row.name,
    createdMs: row.published_at,
    state: "published",
    problem: null,
    size: row.size,
    bytesDone: row.size,
    bytesPerSecond: 0,
    peers: 0,
    slowness: null,
    trackerNotices: [],
    torrentId: row.id,
  };
}
