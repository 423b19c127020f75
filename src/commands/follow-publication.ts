import { equalBytes } from "../base/bytes.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import { type MutableItem, targetOf } from "../dht/item.ts";
import { decodePointer } from "../dht/mutable-torrent.ts";
import { PublicationWatch } from "../dht/publication-watch.ts";
import { assembleTorrent } from "../metainfo/assemble-torrent.ts";
import type { PublicationLink, TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import { SharedPort } from "../udp/shared-port.ts";
import { CommandError } from "./command-error.ts";
import type { CommandRun } from "./command-ports.ts";
import { fetchInfo } from "./fetch-info.ts";
import { findFiles } from "./found-files.ts";
import { filesWithoutLayer, measureLayers } from "./known-layers.ts";
import { suffixOf } from "./unfinished-files.ts";
import { FollowedFolder, type Placed } from "./followed-folder.ts";
import type { GetEvent, GetPorts } from "./get-options.ts";
import { getTorrent } from "./get-torrent.ts";
import { type DhtChoice, openDht } from "./one-shot-dht.ts";
import type { NamedPeer } from "./peer-addresses.ts";
import { nothingPublished } from "./use-dht.ts";
import { type SeedEvent, type SeedPorts, seedTorrents } from "./seed-torrents.ts";

export type FollowPorts = GetPorts & SeedPorts;

export interface FollowOptions extends CommandRun<FollowEvent> {
  readonly publication: PublicationLink;
  /** Holds the newest whole version; created when absent. */
  readonly folder: string;
  /** Ends when the newest version is there, instead of waiting for others. */
  readonly once: boolean;
  /** Serves the version that is there to others. */
  readonly seeds: boolean;
  /** Deletes what the newest version does not have any more, instead of keeping it. */
  readonly deletesOlder: boolean;
  readonly dht: DhtChoice;
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly encryption: EncryptionMode;
  readonly transport: TransportMode;
  /** Peers tell each other of others. */
  readonly pex: boolean;
  /** Neighbours are looked for; by default where others can connect to. */
  readonly lsd?: boolean | undefined;
  readonly peers: readonly NamedPeer[];
  /** Announce URLs that the user adds. */
  readonly trackers: readonly string[];
  readonly downBytesPerSecond: number | undefined;
  readonly upBytesPerSecond: number | undefined;
}

export type FollowEvent =
  /** The version that an earlier run left here. */
  | { readonly kind: "here"; readonly sequence: bigint; readonly name: string }
  /** Sent once: no version is known, and the DHT has none, or no node of it answers. */
  | { readonly kind: "unknown"; readonly answered: boolean }
  /** A newer version was found, and is fetched now. */
  | { readonly kind: "version"; readonly sequence: bigint; readonly infohashes: Infohashes }
  /** Every second until the files of the version are known. */
  | { readonly kind: "finding"; readonly peers: number }
  | { readonly kind: "get"; readonly event: GetEvent }
  /** The newest version is whole, and in place. */
  | ({ readonly kind: "placed"; readonly sequence: bigint; readonly name: string } & Placed)
  /** There is no newer version than the one that is here. */
  | { readonly kind: "newest"; readonly sequence: bigint }
  | { readonly kind: "seed"; readonly event: SeedEvent }
  | { readonly kind: "trouble"; readonly message: string };

/** Why a download ends for which there is a newer version. */
const SUPERSEDED = new Error("there is a newer version");

/**
 * Follows a publication (BEP 46): finds its newest version by its key, fetches it, and does the same with every newer one
 * until the signal comes. Its item is stored in the DHT again every hour, so that it lives on without its publisher.
 *
 * @throws {CommandError} With `once`: `not-found` when the DHT has no version, `unreachable` when no node answers. And as
 * `getTorrent`, or the signal's reason when a version is incomplete.
 */
export async function followPublication(ports: FollowPorts, options: FollowOptions): Promise<void> {
  const { publication } = options.publication;
  const target = targetOf({ kind: "mutable", ...publication });
  const folder = await FollowedFolder.open(ports, options.folder, target);
  try {
    await new Follow(ports, options, folder).run();
  } finally {
    folder.close();
  }
}

class Follow {
  readonly #ports: FollowPorts;
  readonly #options: FollowOptions;
  readonly #folder: FollowedFolder;
  #watch: PublicationWatch | undefined;
  /** One node for everything. */
  #dht: DhtChoice;
  /** The newest version that names no torrent. */
  #skipped = -1n;
  /** Ends the download under way. */
  #fetching: { readonly sequence: bigint; readonly abort: AbortController } | undefined;
  #wake: (() => void) | undefined;
  /** Looks that are over, and whether the last of them was answered. */
  #looks = 0;
  #isAnswered = false;
  #endSeed: (() => Promise<void>) | undefined;

  constructor(ports: FollowPorts, options: FollowOptions, folder: FollowedFolder) {
    this.#ports = ports;
    this.#options = options;
    this.#dht = options.dht;
    this.#folder = folder;
  }

  async run(): Promise<void> {
    const { datagrams, log, clock, random, signatures } = this.#ports;
    const { dht: choice, listen, once, signal, publication } = this.#options;
    const { placing } = this.#folder;
    if (placing) await this.#place(placing);
    const udp = new SharedPort({ net: datagrams, log });
    if (listen) udp.setPlace({ host: listen.host, port: 0 }, { mayMove: true });
    // A node that is gone in a minute is of no use to others.
    const opened = await openDht(this.#ports, choice, { udp, readOnly: once });
    const { service } = opened;
    this.#dht = { ...choice, service };
    const here = this.#folder.version;
    this.#watch = new PublicationWatch({
      dht: service.dht,
      clock,
      random,
      signatures,
      place: publication.publication,
      known: here?.item,
      onNewer: (item) => this.#handleNewer(item),
      onLooked: (answered) => this.#handleLooked(answered > 0),
    });
    const stop = (): void => this.#handleStopped();
    signal.addEventListener("abort", stop);
    try {
      if (here) this.#tell({ kind: "here", sequence: here.item.sequence, name: here.info.name });
      this.#beginSeed();
      for (;;) {
        const item = await this.#nextVersion();
        if (!item) return;
        await this.#fetch(item);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#watch.close();
      await opened.close();
      udp.close();
      await this.#endSeed?.();
    }
  }

  #tell(event: FollowEvent): void {
    this.#options.onEvent(event);
  }

  #handleNewer(item: MutableItem): void {
    if (this.#fetching && item.sequence > this.#fetching.sequence) {
      this.#fetching.abort.abort(SUPERSEDED);
    }
    this.#wake?.();
  }

  #handleLooked(answered: boolean): void {
    this.#looks += 1;
    this.#isAnswered = answered;
    if (this.#looks === 1 && !this.#watch?.newest) this.#tell({ kind: "unknown", answered });
    this.#wake?.();
  }

  #handleStopped(): void {
    this.#fetching?.abort.abort(this.#options.signal.reason);
    this.#wake?.();
  }

  /** @returns The version to fetch, as soon as there is one; `undefined` at the end. */
  async #nextVersion(): Promise<MutableItem | undefined> {
    const { once, signal } = this.#options;
    for (;;) {
      if (signal.aborted) return undefined;
      const newest = this.#watch?.newest;
      const here = this.#folder.version?.item.sequence ?? -1n;
      if (newest && newest.sequence > here && newest.sequence > this.#skipped) return newest;
      if (once && this.#looks > 0) return this.#end();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The only look is over, and there is nothing to fetch. */
  #end(): undefined {
    const here = this.#folder.version;
    if (!this.#isAnswered) throw nobodyAnswers();
    if (!here) throw nothingPublished();
    this.#tell({ kind: "newest", sequence: here.item.sequence });
    return undefined;
  }

  async #fetch(item: MutableItem): Promise<void> {
    const { sequence } = item;
    const infohashes = decodePointer(item.value);
    if (!infohashes) {
      this.#skipped = sequence;
      const message = `version ${sequence} names no torrent; the one before stays`;
      this.#tell({ kind: "trouble", message });
      return;
    }
    this.#tell({ kind: "version", sequence, infohashes });
    const abort = new AbortController();
    this.#fetching = { sequence, abort };
    try {
      await this.#fetchFiles(infohashes, abort.signal);
    } catch (error) {
      if (abort.signal.reason === SUPERSEDED && !this.#options.signal.aborted) return;
      throw error;
    } finally {
      this.#fetching = undefined;
    }
    await this.#endSeed?.();
    await this.#place(item);
    this.#beginSeed();
  }

  async #fetchFiles(infohashes: Infohashes, signal: AbortSignal): Promise<void> {
    const { encryption, transport, pex, lsd, peers, trackers, publication } = this.#options;
    const { downBytesPerSecond, upBytesPerSecond } = this.#options;
    const listen = this.#listen();
    const session = {
      listen,
      encryption,
      transport,
      pex,
      lsd,
      dht: this.#dht,
      downBytesPerSecond,
      upBytesPerSecond,
    };
    const { next } = this.#folder;
    const begun = await this.#folder.nextInfo();
    if (!begun || !isSame(begun.infohashes, infohashes)) {
      const info = await fetchInfo(this.#ports, {
        ...session,
        magnet: { ...publication, infohashes },
        folder: next.folder,
        peers,
        trackers,
        onTick: (count) => this.#tell({ kind: "finding", peers: count }),
        signal,
      });
      await this.#folder.prepare(info, this.#torrentOf(info), signal);
      await this.#measureLayers(info, signal);
    }
    await getTorrent(this.#ports, {
      ...session,
      source: next.torrentFile,
      folder: next.folder,
      select: [],
      finalNames: false,
      existing: "adopted",
      hidden: false,
      seed: undefined,
      peers,
      trackers,
      signal,
      onEvent: (event) => this.#tell({ kind: "get", event }),
    });
  }

  /**
   * Computes the piece layers of files of a v2 torrent that are here already: peers know them, but are asked too late for the
   * download to find out that the bytes need not be fetched.
   */
  async #measureLayers(info: TorrentInfo, signal: AbortSignal): Promise<void> {
    const metainfo = parseMetainfo(this.#torrentOf(info));
    if (filesWithoutLayer(metainfo).size === 0) return;
    const root = this.#folder.next.folder;
    const visible = { ...metainfo, info: withVisibleName(info) };
    const found = findFiles(this.#ports.files, visible.info, { root, suffix: suffixOf(info) });
    const onProgress = (): void => undefined;
    const { layers } = await measureLayers(this.#ports, visible, found, {
      root,
      onProgress,
      signal,
    });
    if (layers.size > 0) await this.#folder.replaceNext(this.#torrentOf(info, layers));
  }

  #torrentOf(
    { infoBytes }: TorrentInfo,
    pieceLayers: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Uint8Array {
    const { trackers } = this.#options.publication;
    // A link has no tiers: every tracker gets an announce (BEP 9).
    const tiers = trackers.map((url) => [url]);
    return assembleTorrent({ infoBytes, trackers: tiers, pieceLayers });
  }

  /** While a version is seeded, the next is fetched over another port. */
  #listen(): FollowOptions["listen"] {
    const { listen, seeds } = this.#options;
    return listen && seeds ? { host: listen.host, port: 0 } : listen;
  }

  async #place(item: MutableItem): Promise<void> {
    const nowMs = this.#ports.clock.wallMs();
    const { deletesOlder } = this.#options;
    const placed = await this.#folder.place(item, { nowMs, deletesOlder });
    const name = this.#folder.version?.info.name ?? "";
    this.#tell({ kind: "placed", sequence: item.sequence, name, ...placed });
  }

  /** Serves the version that is here until `#endSeed`. */
  #beginSeed(): void {
    const { seeds, once, listen, encryption, transport, pex, lsd, trackers, upBytesPerSecond } =
      this.#options;
    if (!seeds || once || !this.#folder.version) return;
    const abort = new AbortController();
    const run = seedTorrents(this.#ports, {
      sources: [this.#folder.torrentFile],
      folder: this.#folder.root,
      listen,
      encryption,
      transport,
      pex,
      lsd,
      trackers,
      upBytesPerSecond,
      dht: this.#dht,
      signal: abort.signal,
      onEvent: (event) => this.#tell({ kind: "seed", event }),
    }).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      const why = error instanceof CommandError ? error.message : String(error);
      this.#tell({ kind: "trouble", message: `the version that is here is not seeded: ${why}` });
    });
    this.#endSeed = async () => {
      this.#endSeed = undefined;
      abort.abort();
      await run;
    };
  }
}

function isSame(a: Infohashes, b: Infohashes): boolean {
  if (a.v1 && b.v1) return equalBytes(a.v1, b.v1);
  if (a.v2 && b.v2) return equalBytes(a.v2, b.v2);
  // An item of others names a v2 torrent by the first 20 bytes of its infohash.
  return b.v1 !== undefined && a.v2 !== undefined && equalBytes(a.v2.subarray(0, 20), b.v1);
}

function nobodyAnswers(): CommandError {
  return new CommandError("unreachable", "No DHT node answers.", {
    hint: "check that this machine may send UDP to the internet, or name a node with --dht-bootstrap HOST:PORT.",
  });
}
