import { invariant } from "../base/errors.ts";
import type { ExtensionKind } from "../engine/extension.ts";
import type {
  EngineSession,
  EngineTorrent,
  PeerSource,
  PeerStatus,
  Slowness,
  TorrentEvent,
} from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
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
import type { Workers } from "./turns.ts";

const SWEEP_MS = 60_000;
// Longer than the pauses between connections of a downloading client.
const IDLE_MS = 5 * 60_000;
/**
 * What the torrents that are awake without a peer may hold together. Strangers choose which torrents wake; those with
 * peers are bounded by connections.
 */
const IDLE_TORRENTS_MAX = 500;
const IDLE_BYTES_MAX = 96 * 1024 * 1024;
/** Measured: 15 to 17 MB for 100,000 files. A piece has its hashes and some bits. */
const FILE_BYTES = 170;
const PIECE_BYTES = 40;
/** A look at files that a request asked for is followed by a rest of this many times its length. */
const LOOK_REST_FACTOR = 10;

export interface EverseedOptions {
  readonly torrents: TorrentTable;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly content: ContentSource;
  readonly clock: Clock;
  readonly turns: Workers;
  readonly log: Log;
  /** Called when files in an owner's folder have changed. */
  readonly onChanged?: ((torrentId: string) => void) | undefined;
  readonly swarms: Pick<SwarmRegistry, "setWhole">;
  /** Where a torrent that is awake looks for peers; none by default. */
  readonly sources?: ((info: TorrentInfo) => readonly PeerSource[]) | undefined;
  /** Extensions of the peer protocol for each torrent. */
  readonly extensions?: readonly ExtensionKind[] | undefined;
  /** Torrents show each peer little at a time, while nobody else has everything (BEP 16). */
  readonly superSeeding?: boolean | undefined;
}

/** The everseed's figures of one torrent. */
export interface EverseedFigures {
  readonly uploadBytesPerSecond: number;
  /** Bytes since start. */
  readonly uploaded: number;
  /** What is wrong with its copy; null while no damage is known. */
  readonly damage: Damage | null;
}

/** The peers of one torrent. */
export interface EverseedPeers {
  readonly peers: readonly PeerStatus[];
  readonly slowness: Slowness | undefined;
}

interface AwakeTorrent {
  readonly torrent: EngineTorrent;
  /** The memory it takes, roughly. */
  readonly bytes: number;
  /** Monotonic milliseconds when it last had a peer. */
  lastPeerMs: number;
}

/**
 * The seed that never sleeps, although its torrents do: a published torrent is only a row until a peer's handshake
 * names it, lives in the engine while peers are there, and becomes a row again some minutes later. Nothing needs
 * restoring after a restart or a kill.
 */
export class Everseed {
  readonly #options: EverseedOptions;
  readonly #awake = new Map<string, AwakeTorrent>();
  readonly #waking = new Map<string, Promise<EngineTorrent | undefined>>();
  /** Bytes sent by torrents that are asleep again. */
  readonly #uploadedBefore = new Map<string, number>();
  readonly #looking = new Set<string>();
  /** When the files of a torrent may be looked at again because of a request. */
  readonly #nextLookMs = new Map<string, number>();
  /** Torrents whose content is being replaced: they may wake when that has ended. These promises never reject. */
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

  /** Connects the engine, which was created with this object's `wake`. */
  start(session: EngineSession): void {
    invariant(!this.#session, "one engine for one everseed");
    this.#session = session;
    this.#scheduleSweep();
    this.#rounds.start();
    this.#watch.start();
    this.#scrub.start();
  }

  /** Stops waking and putting to sleep; the owner closes the engine. */
  stop(): void {
    this.#timer?.cancel();
    this.#rounds.stop();
    this.#watch.stop();
    this.#scrub.stop();
    this.#session = undefined;
  }

  /** Answers the engine's question about an unknown infohash (`WakeTorrent`). */
  readonly wake = async (wireInfohash: Uint8Array): Promise<EngineTorrent | undefined> => {
    const row = await this.#options.torrents.findByWire(wireInfohash);
    if (!row) return undefined;
    const awake = this.#awake.get(row.id);
    if (awake) return awake.torrent;
    // Several peers may ask while the metainfo is read: they share one answer.
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

  /** For each piece, how many partial peers have it; undefined while the torrent sleeps. */
  partialCopies(torrentId: string): Uint16Array | undefined {
    return this.#awake.get(torrentId)?.torrent.partialCopies();
  }

  /** Its connected peers, and why repairing it is no faster; `undefined` while the torrent sleeps. */
  peers(torrentId: string): EverseedPeers | undefined {
    const torrent = this.#awake.get(torrentId)?.torrent;
    return torrent && { peers: torrent.peers(), slowness: torrent.stats().slowness };
  }

  /** Tells whether its copy is known to be damaged. */
  isDamaged(torrentId: string): boolean {
    return this.#faults.of(torrentId) !== null;
  }

  /** A download found a damaged file: find the others now, not in the next round. */
  look(torrentId: string): void {
    const { torrents, log } = this.#options;
    torrents.find(torrentId).then(
      (row) => row && this.#look(row),
      (error: unknown) => log.warn("a torrent could not be looked at", { why: String(error) }),
    );
  }

  /**
   * Replaces a torrent's content while it sleeps, because an engine that repairs the old content would write into the
   * new. Findings about the old content are cleared.
   *
   * @param replace - Called once the old files are closed; nobody opens them for writing before it ends.
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

  /** @param waking - Started earlier, and does not wait for us. */
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
    // A torrent that is waking will be awake, or find its row gone, in a moment.
    await this.#waking.get(torrentId);
    this.#faults.forget(torrentId);
    const awake = this.#awake.get(torrentId);
    if (awake) await this.#putToSleep(torrentId, awake);
  }

  /** Somebody wrote to files in an owner's folder: everything judged is judged again, now and when peers ask. */
  #handleChanged(row: TorrentRow, change: ContentChange): void {
    this.#options.log.info("files that were published in place have changed: they are compared", {
      id: row.id,
    });
    const awake = this.#awake.get(row.id);
    if (awake) void this.#putToSleep(row.id, awake);
    this.#options.onChanged?.(row.id);
    this.#scrub.hurry(row, change);
  }

  /** The sum of all torrents. */
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
    const { torrents, library, folder, clock, log, extensions } = this.#options;
    await this.#replacing.get(id);
    const row = await torrents.find(id);
    const metainfo = row && (await library.load(row));
    // Removed while the file was read.
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
      extensions,
      superSeeding: this.#options.superSeeding,
      // Damage in our own folder is repaired from the swarm; files in owners' folders are never written.
      existing: existingFiles(row),
      sources: this.#options.sources?.(metainfo.info),
      ...(row.content_root !== null && { select: (info) => info.files.map(() => false) }),
      onEvent: (event: TorrentEvent) => {
        this.#faults.handleEvent(row, event);
        // The engine says that files cannot be read; a look finds out which.
        if (event.kind === "state" && event.state.kind === "waiting") void this.#look(row);
      },
    });
    const { files, geometry } = metainfo.info;
    const bytes = files.length * FILE_BYTES + geometry.pieceCount * PIECE_BYTES;
    this.#awake.set(row.id, { torrent, bytes, lastPeerMs: clock.nowMs() });
    this.#restSurplus(row.id);
    return torrent;
  }

  /**
   * When too many torrents are awake without a peer, those sleep at once that had none for longest.
   *
   * @param wokenId - Its peer is about to come in.
   */
  #restSurplus(wokenId: string): void {
    // The last woken first, where the times are equal.
    const idle = [...this.#awake]
      .reverse()
      .filter(([id, { torrent }]) => id !== wokenId && torrent.stats().peers === 0)
      .toSorted(([, a], [, b]) => b.lastPeerMs - a.lastPeerMs);
    let kept = 0;
    let keptBytes = 0;
    for (const [id, awake] of idle) {
      kept += 1;
      keptBytes += awake.bytes;
      if (kept > IDLE_TORRENTS_MAX || keptBytes > IDLE_BYTES_MAX) void this.#putToSleep(id, awake);
    }
  }

  /**
   * One look at a time for each torrent, and a rest after it: anybody may ask for the same lost file again and again,
   * and a look at 100,000 files takes seconds. Never rejects.
   */
  async #look(row: TorrentRow): Promise<void> {
    const { clock } = this.#options;
    const beginMs = clock.nowMs();
    if (this.#looking.has(row.id) || beginMs < (this.#nextLookMs.get(row.id) ?? 0)) return;
    this.#looking.add(row.id);
    await this.#rounds.look(row);
    this.#looking.delete(row.id);
    const endMs = clock.nowMs();
    this.#nextLookMs.set(row.id, endMs + LOOK_REST_FACTOR * (endMs - beginMs));
  }

  #scheduleSweep(): void {
    this.#timer = this.#options.clock.startTimer(SWEEP_MS, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    const now = this.#options.clock.nowMs();
    for (const [id, nextMs] of this.#nextLookMs) if (nextMs <= now) this.#nextLookMs.delete(id);
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
