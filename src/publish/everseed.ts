import { invariant } from "../base/errors.ts";
import type { EngineSession, EngineTorrent, TorrentEvent } from "../engine/session-contract.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSource } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import { ContentRounds } from "./content-rounds.ts";
import { ContentFaults, type Damage } from "./content-faults.ts";
import { ContentScrub } from "./content-scrub.ts";
import type { DataFolder } from "./data-folder.ts";
import { type ContentChange, InPlaceWatch } from "./in-place-watch.ts";
import { existingFiles, infoOnDisk } from "./in-place.ts";
import { infohashesOf } from "./row-infohashes.ts";
import type { SwarmRegistry } from "./swarm-registry.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

const SWEEP_MS = 60_000;
// Longer than the pauses a downloading client makes between connections.
const IDLE_MS = 5 * 60_000;

export interface EverseedOptions {
  readonly torrents: TorrentTable;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly content: ContentSource;
  readonly clock: Clock;
  readonly log: Log;
  /** Told when files that are not ours have changed. */
  readonly onChanged?: ((torrentId: string) => void) | undefined;
  readonly swarms: Pick<SwarmRegistry, "setWhole">;
}

/** What the everseed sends of one torrent. */
export interface EverseedFigures {
  readonly uploadBytesPerSecond: number;
  /** Bytes since start. */
  readonly uploaded: number;
  /** What is wrong with its copy; null as long as nothing is known. */
  readonly damage: Damage | null;
}

interface AwakeTorrent {
  readonly torrent: EngineTorrent;
  /** Monotonic milliseconds when it last had a peer. */
  lastPeerMs: number;
}

/**
 * The seed that never sleeps, although its torrents do: a published torrent is a row until a peer's
 * handshake names it, lives in the engine while peers are there, and is a row again some minutes later.
 * Nothing has to be restored after a restart or a kill.
 */
export class Everseed {
  readonly #options: EverseedOptions;
  readonly #awake = new Map<string, AwakeTorrent>();
  readonly #waking = new Map<string, Promise<EngineTorrent | undefined>>();
  /** What torrents that sleep again have sent. */
  readonly #uploadedBefore = new Map<string, number>();
  readonly #looking = new Set<string>();
  /** Torrents whose content is being replaced: they wake when that has ended. Never reject. */
  readonly #replacing = new Map<string, Promise<void>>();
  readonly #faults: ContentFaults;
  readonly #rounds: ContentRounds;
  readonly #watch: InPlaceWatch;
  readonly #scrub: ContentScrub;
  #uploadedAsleep = 0;
  #session: EngineSession | undefined;
  #timer: Timer | undefined;

  constructor(options: EverseedOptions) {
    this.#options = options;
    this.#faults = new ContentFaults(options.log, (id, isWhole) => {
      this.#tellSwarms(id, isWhole).catch((error: unknown) => {
        options.log.error("the tracker was not told of a damaged torrent", { id, error });
      });
    });
    this.#rounds = new ContentRounds({
      ...options,
      report: (id, found) => this.#faults.handleRound(id, found),
    });
    this.#watch = new InPlaceWatch({
      ...options,
      onChanged: (row, change) => this.#handleChanged(row, change),
      report: (id, found) => this.#faults.handleRound(id, found),
    });
    this.#scrub = new ContentScrub({
      ...options,
      report: (row, piece, intact) => this.handleJudged(row, piece, intact),
    });
  }

  async #tellSwarms(torrentId: string, isWhole: boolean): Promise<void> {
    const { torrents, swarms } = this.#options;
    const row = await torrents.find(torrentId);
    if (row) swarms.setWhole(infohashesOf(row), isWhole);
  }

  /** A piece of its copy was compared with its hash. */
  handleJudged(row: TorrentRow, piece: number, intact: boolean): void {
    this.#faults.handleEvent(row, { kind: intact ? "piece" : "piece-lost", piece });
  }

  /** Introduces the engine, which was made with `wake` of this object. */
  start(session: EngineSession): void {
    invariant(!this.#session, "one engine for one everseed");
    this.#session = session;
    this.#scheduleSweep();
    this.#rounds.start();
    this.#watch.start();
    this.#scrub.start();
  }

  /** Stops waking and putting to sleep; the engine is closed by its owner. */
  stop(): void {
    this.#timer?.cancel();
    this.#rounds.stop();
    this.#watch.stop();
    this.#scrub.stop();
    this.#session = undefined;
  }

  /** The engine's question about an infohash it does not have (`WakeTorrent`). */
  readonly wake = async (wireInfohash: Uint8Array): Promise<EngineTorrent | undefined> => {
    const row = await this.#options.torrents.findByWire(wireInfohash);
    if (!row) return undefined;
    const awake = this.#awake.get(row.id);
    if (awake) return awake.torrent;
    // Several peers may knock while the metainfo is read: one answer for all.
    let waking = this.#waking.get(row.id);
    if (!waking) {
      waking = this.#load(row.id).finally(() => this.#waking.delete(row.id));
      this.#waking.set(row.id, waking);
    }
    return waking;
  };

  figures(torrentId: string): EverseedFigures {
    const before = this.#uploadedBefore.get(torrentId) ?? 0;
    const stats = this.#awake.get(torrentId)?.torrent.stats();
    return {
      uploadBytesPerSecond: stats?.uploadBytesPerSecond ?? 0,
      uploaded: before + (stats?.uploaded ?? 0),
      damage: this.#faults.of(torrentId),
    };
  }

  /** For each piece the peers that have it but not all; undefined while the torrent sleeps. */
  partialCopies(torrentId: string): Uint16Array | undefined {
    return this.#awake.get(torrentId)?.torrent.partialCopies();
  }

  /** Whether something is known to be wrong with its copy. */
  isDamaged(torrentId: string): boolean {
    return this.#faults.of(torrentId) !== null;
  }

  /** A download met a file that is not as it was: what else is gone is known at once, not at the next round. */
  look(torrentId: string): void {
    const { torrents, log } = this.#options;
    torrents.find(torrentId).then(
      (row) => row && this.#look(row),
      (error: unknown) => log.warn("a torrent could not be looked at", { why: String(error) }),
    );
  }

  /**
   * Replaces the content of a torrent by a whole one, while it sleeps: an engine that mends the old content would write
   * into the new. What was found out about the old one is forgotten.
   *
   * @param replace - Called when nobody has the old files open for writing; nobody has, before it ends.
   */
  async replace(torrentId: string, replace: () => Promise<void>): Promise<void> {
    const replacing = this.#replaceAsleep(torrentId, this.#waking.get(torrentId), replace);
    const ended = replacing.catch(() => undefined);
    this.#replacing.set(torrentId, ended);
    await ended;
    this.#replacing.delete(torrentId);
    await replacing;
    this.#faults.handleReplaced(torrentId);
  }

  /** @param waking - Began before, and does not wait for us. */
  async #replaceAsleep(
    torrentId: string,
    waking: Promise<unknown> | undefined,
    replace: () => Promise<void>,
  ): Promise<void> {
    await waking;
    const awake = this.#awake.get(torrentId);
    if (awake) await this.#putToSleep(torrentId, awake);
    await replace();
  }

  /** It is not published any more. Resolves when no peer gets anything of it. */
  async release(torrentId: string): Promise<void> {
    // One that is on its way out of bed is awake, or finds its row gone, in a moment.
    await this.#waking.get(torrentId);
    this.#faults.forget(torrentId);
    const awake = this.#awake.get(torrentId);
    if (awake) await this.#putToSleep(torrentId, awake);
  }

  /** Somebody wrote to files that are not ours: what was judged is judged anew, now and when peers ask. */
  #handleChanged(row: TorrentRow, change: ContentChange): void {
    this.#options.log.info("files that were published in place have changed: they are compared", {
      id: row.id,
    });
    const awake = this.#awake.get(row.id);
    if (awake) void this.#putToSleep(row.id, awake);
    this.#options.onChanged?.(row.id);
    this.#scrub.hurry(row, change);
  }

  /** Of all torrents together. */
  totals(): { uploaded: number; downloaded: number; peers: number } {
    let [uploaded, downloaded, peers] = [this.#uploadedAsleep, 0, 0];
    for (const { torrent } of this.#awake.values()) {
      const stats = torrent.stats();
      uploaded += stats.uploaded;
      downloaded += stats.downloaded;
      peers += stats.peers;
    }
    return { uploaded, downloaded, peers };
  }

  async #load(id: string): Promise<EngineTorrent | undefined> {
    const { torrents, library, folder, clock, log } = this.#options;
    await this.#replacing.get(id);
    const row = await torrents.find(id);
    const metainfo = row && (await library.load(row));
    // Taken back while the file was read.
    if (!row || !(await torrents.find(id))) return undefined;
    const session = this.#session;
    if (!metainfo || !session) {
      if (!metainfo) log.error("a published torrent has lost its .torrent file", { id: row.id });
      return undefined;
    }
    const torrent = session.add({
      from: { metainfo: { ...metainfo, info: infoOnDisk(row, metainfo.info) } },
      root: folder.contentRoot(row),
      mode: "seed",
      // What is damaged in our own folder is mended from the swarm; files of others are never written to.
      existing: existingFiles(row),
      ...(row.content_root !== null && { select: (info) => info.files.map(() => false) }),
      onEvent: (event: TorrentEvent) => {
        this.#faults.handleEvent(row, event);
        // The engine says that files cannot be read, a look says which.
        if (event.kind === "state" && event.state.kind === "waiting") void this.#look(row);
      },
    });
    this.#awake.set(row.id, { torrent, lastPeerMs: clock.nowMs() });
    return torrent;
  }

  /** One look at a time for each torrent: many may ask for the same lost file. Never rejects. */
  async #look(row: TorrentRow): Promise<void> {
    if (this.#looking.has(row.id)) return;
    this.#looking.add(row.id);
    await this.#rounds.look(row);
    this.#looking.delete(row.id);
  }

  #scheduleSweep(): void {
    this.#timer = this.#options.clock.startTimer(SWEEP_MS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    const now = this.#options.clock.nowMs();
    for (const [id, awake] of this.#awake) {
      const stats = awake.torrent.stats();
      if (stats.peers > 0) awake.lastPeerMs = now;
      else if (now - awake.lastPeerMs >= IDLE_MS) void this.#putToSleep(id, awake);
    }
  }

  async #putToSleep(id: string, awake: AwakeTorrent): Promise<void> {
    const { uploaded } = awake.torrent.stats();
    this.#awake.delete(id);
    if (uploaded > 0) {
      this.#uploadedBefore.set(id, (this.#uploadedBefore.get(id) ?? 0) + uploaded);
      this.#uploadedAsleep += uploaded;
    }
    try {
      await this.#session?.remove(awake.torrent);
    } catch (error) {
      this.#options.log.warn("a torrent did not go to sleep", { id, error: String(error) });
    }
  }
}
