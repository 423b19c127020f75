import type { Bitfield } from "../base/bitfield.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { PeerAddress } from "../base/peer-address.ts";
import type { MagnetLink, Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSource, FileStamp, SlabPool } from "../ports/content.ts";
import type { ExistingFiles } from "./existing-files.ts";
import type { ExtensionKind } from "./extension.ts";
import type { FetchOrder } from "./fetch-order.ts";
import type { FileNames } from "./file-names.ts";
import type { StreamDecorators, StreamEncryption } from "./stream-decorator.ts";
import type { PeerOwner, PeerRoute } from "./peer-owner.ts";
import type { Log } from "../ports/log.ts";
import type { PeerTransport } from "../ports/net.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { WebRanges } from "../ports/web-ranges.ts";
import type { Random } from "../ports/random.ts";

/** Everything the engine takes from the world. */
export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** How peers are reached, and reach us; one of a kind. */
  readonly transports: readonly PeerTransport[];
  readonly content: ContentSource;
  /** Memory in which arriving pieces are assembled: the write cache. Its limit is the back-pressure. */
  readonly receiveSlabs: SlabPool;
  /** Memory into which blocks are read before they are sent. */
  readonly sendSlabs: SlabPool;
  /** How web seeds are reached; without it there are none. */
  readonly webRanges?: WebRanges | undefined;
  readonly log: Log;
  /** Counts peers that break the protocol. */
  readonly faults?: OutsideFaults | undefined;
}

/** Every number that users may want to change; `settings.ts` has defaults and units. */
export interface EngineSettings {
  readonly connectionsMax: number;
  readonly connectionsPerTorrentMax: number;
  readonly connectionsPerAddressMax: number;
  /** Connections of one IPv4 /24 or IPv6 /48; local networks may have more. */
  readonly connectionsPerNetworkMax: number;
  readonly halfOpenMax: number;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly uploadSlots: number;
  readonly requestQueueMax: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  readonly metadataBytesMax: number;
  readonly resumeIntervalMs: number;
}

/** The settings that may change while a session runs. */
export type SessionLimits = Pick<
  EngineSettings,
  "connectionsMax" | "downBytesPerSecond" | "upBytesPerSecond"
>;

/** What a torrent is doing, with the cause where users would ask for it. */
export type TorrentState =
  | { readonly kind: "fetching-metadata" }
  | { readonly kind: "checking"; readonly piecesChecked: number; readonly piecesTotal: number }
  | { readonly kind: "downloading" }
  | { readonly kind: "seeding" }
  | { readonly kind: "stopped" }
  /** The disk refused; the torrent resumes by itself when the cause is gone. */
  | {
      readonly kind: "waiting";
      /** `foreign-files`: files other than the torrent's are at their paths. */
      readonly cause: "disk-full" | "disk-error" | "foreign-files";
      readonly message: string;
    }
  /** The torrent cannot work, whatever peers and the disk do. */
  | {
      readonly kind: "broken";
      /**
       * `bad-info`: what matches the magnet link is no valid info dictionary. `contradiction`: no data can match both the
       * v1 and the v2 hashes of a hybrid.
       */
      readonly cause: "bad-info" | "contradiction";
      readonly message: string;
    };

export type TorrentEvent =
  | { readonly kind: "state"; readonly state: TorrentState }
  /** The info dictionary arrived (magnet), and the files are known. */
  | { readonly kind: "metadata"; readonly info: TorrentInfo }
  | { readonly kind: "piece"; readonly piece: number }
  /** Everything that is wanted is on disk and judged intact. */
  | { readonly kind: "complete" }
  | { readonly kind: "piece-lost"; readonly piece: number }
  /** @property address - An IP address; of a peer that has none, its `banKey`. */
  | { readonly kind: "peer-banned"; readonly address: string; readonly reason: string };

/** State that survives restarts. It claims only pieces that were durable when it was made. */
export interface ResumeState {
  readonly have: Bitfield;
  /** One for each file; pieces of files whose stamp has changed since are judged again. */
  readonly stamps: readonly FileStamp[];
  /** Wall-clock milliseconds when it was made. */
  readonly savedAtMs: number;
  /** True when it was made by an orderly stop: then the stamps must match exactly. */
  readonly clean: boolean;
  /** Blocks of unfinished pieces that are on disk and not judged. */
  readonly partial: readonly { readonly piece: number; readonly blocks: Bitfield }[];
  readonly uploaded: number;
  readonly downloaded: number;
}

/** How far the torrent got; cheap enough to ask every second. */
export interface TorrentStats {
  readonly uploaded: number;
  readonly downloaded: number;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
  /** Bytes wanted, and how many of them belong to pieces judged intact. */
  readonly wantedBytes: number;
  readonly doneBytes: number;
  /** Bytes still missing of the whole content, as reported to trackers (`left`). */
  readonly left: number;
  readonly peers: number;
  readonly seeds: number;
  readonly knownPeers: number;
  /** Copies of the rarest piece among the connected peers and web seeds. */
  readonly rarestCopies: number;
  /** Web seeds that are connected. */
  readonly webSeeds: number;
  /** Why the download is no faster; `undefined` while nothing is downloaded. */
  readonly slowness: Slowness | undefined;
}

/** What a download waits for, the first cause that applies. */
export type Slowness =
  /** A limit of the torrent or the session. */
  | "own-limit"
  /** Pieces wait to be judged and written, or the disk refuses. */
  | "disk"
  /** No address of a peer is known. */
  | "nobody-known"
  /** Addresses are known, and nobody is connected. */
  | "nobody-reached"
  /** The connected peers lack every missing piece. */
  | "nobody-has-it"
  /** Peers have missing pieces, and all of them make us wait. */
  | "all-choke"
  /** Nothing but the peers, and the line to them. */
  | "peers";

/** A web server that has the torrent's content. */
export interface WebSeedSource {
  readonly url: string;
  /** `files`: a URL of its files (BEP 19). `pieces`: a program that sends parts of pieces (BEP 17). */
  readonly kind: "files" | "pieces";
}

export interface WebSeedStatus extends WebSeedSource {
  /** `resting`: it failed or was busy, and is asked again later. `off`: it is left alone. */
  readonly state: "idle" | "connected" | "resting" | "off";
  /** Why it rests or is left alone. */
  readonly reason: string | undefined;
  /** Files that it does not have. */
  readonly absentFiles: number;
  /** Bytes of blocks since the torrent was started. */
  readonly downloaded: number;
  readonly downloadBytesPerSecond: number;
}

export interface PeerStatus {
  /** Where the connection leads, or comes from; its kind is the transport. */
  readonly remote: PeerAddress;
  readonly incoming: boolean;
  /** The source that named its address first; `incoming` for a peer that dialled us. */
  readonly source: SourceKind;
  /** `undefined` where its stream is plain. */
  readonly encryption: StreamEncryption | undefined;
  readonly client: string;
  readonly piecesHeld: number;
  readonly amChoking: boolean;
  readonly amInterested: boolean;
  readonly peerChoking: boolean;
  readonly peerInterested: boolean;
  readonly snubbed: boolean;
  readonly uploaded: number;
  readonly downloaded: number;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
}

export interface AddTorrent {
  readonly from: { readonly metainfo: Metainfo } | { readonly magnet: MagnetLink };
  /** The absolute folder that receives, or holds, the torrent's files. */
  readonly root: string;
  /**
   * `download`: fetches what is missing; without a resume, existing data is judged first.
   * `seed`: the files exist; each piece is judged when a peer first requests it.
   */
  readonly mode: "download" | "seed";
  /** The suffix of unfinished files (`base/unfinished-names.ts`); without it files have their final names at once. */
  readonly unfinishedSuffix?: ((info: TorrentInfo) => string) | undefined;
  /**
   * What we may do to existing files. Default: `proven` for a download; `untouched` for a seed, which then reports
   * what is lost and fetches nothing.
   */
  readonly existing?: ExistingFiles | undefined;
  /**
   * Files that were put there for this download, by index. They are its own, whatever the resume says, and are compared
   * with their hashes before they count.
   */
  readonly brought?: ReadonlySet<number> | undefined;
  /**
   * Keep the dot that a download's name begins with. Without this it becomes `_.name`: hidden files of a home folder
   * are settings, and no torrent may change those by default (`visible-name.ts`).
   */
  readonly keepsHiddenName?: boolean | undefined;
  /** Names that its owner gave to files and folders. */
  readonly names?: FileNames | undefined;
  readonly resume?: ResumeState | undefined;
  /** Chooses the files to fetch; called once the info is known. Default: all. */
  readonly select?: ((info: TorrentInfo) => readonly boolean[]) | undefined;
  readonly order?: FetchOrder | undefined;
  readonly sources?: readonly PeerSource[] | undefined;
  readonly peers?: readonly PeerAddress[] | undefined;
  /** Web servers to fetch from beside peers. Whoever names them judges where they may lead. */
  readonly webSeeds?: readonly WebSeedSource[] | undefined;
  /** Extensions of the peer protocol, in addition to the engine's own (`ut_metadata`, `lt_donthave`). */
  readonly extensions?: readonly ExtensionKind[] | undefined;
  /** Show each peer little at a time, as long as nobody else has everything (BEP 16). For an only seed. */
  readonly superSeeding?: boolean | undefined;
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
  /** The group whose limits it shares with others (`EngineSession.setGroupLimits`). */
  readonly group?: string | undefined;
  /**
   * Called at the end of a burst of events, when everything that was decided in it is carried out; it may call any
   * method. A method that the owner calls is such a burst too: the first event comes before `add` returns.
   */
  readonly onEvent?: ((event: TorrentEvent) => void) | undefined;
  /**
   * Called before anything is written, every `resumeIntervalMs` while something changes, and at an orderly stop. A
   * download begins when the first resume is saved: after a kill it then tells its own files from others.
   *
   * It comes in the middle of a burst: it may call no method of the engine, and its promise never rejects.
   */
  readonly saveResume?: ((resume: ResumeState) => void | Promise<void>) | undefined;
}

/** How a reader needs its bytes. */
export interface ReadOptions {
  /**
   * When the first byte is needed, in milliseconds of the engine's clock; default: at once. Pieces that are needed
   * soon are fetched before everything else; nothing fails because it is late.
   */
  readonly deadline?: number | undefined;
  /**
   * The reader's pace from there: each later byte is needed that much later. Default: the reader takes bytes as fast
   * as they arrive.
   */
  readonly bytesPerSecond?: number | undefined;
  /** Ends the reader; a pending request is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Limits of one torrent that change; what is absent stays. */
export interface TorrentLimits {
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
  /** Null: none. */
  readonly group?: string | null | undefined;
}

export interface EngineTorrent {
  readonly infohashes: Infohashes;
  readonly info: TorrentInfo | undefined;
  readonly state: TorrentState;
  readonly have: Bitfield | undefined;
  stats(): TorrentStats;
  peers(): PeerStatus[];
  webSeeds(): WebSeedStatus[];
  /** For each piece, how many connected peers have it, not counting those that have all; undefined without metadata. */
  partialCopies(): Uint16Array | undefined;
  /** The pieces of which some blocks are here. */
  startedPieces(): number[];
  /** Addresses that no transport of the session reaches are left out. */
  addPeers(peers: readonly PeerAddress[]): void;
  setWanted(wanted: readonly boolean[]): void;
  setOrder(order: FetchOrder): void;
  setLimits(limits: TorrentLimits): void;
  /**
   * Reads bytes of one file in order, as they become available: data on disk at once, the rest as soon as its pieces
   * are fetched and judged intact. Reading starts with the first `next()`, which may wait for a magnet link's metadata
   * or for the check of the disk. Pieces of an unwanted file are wanted while they are being read. A piece that turns
   * out to be damaged is fetched again.
   *
   * Nothing is read before it is requested: an iterator holds at most 256 KiB, and only while it waits for the disk.
   * The caller owns each part. `next()` waits as long as no peer has a piece; `signal`, and `return()`, which `break`
   * calls, end it at once, even during a pending `next()`. Requests to peers that only this reader needed are then
   * taken back.
   *
   * @param file - Index into `info.files`; not a padding file (BEP 47).
   * @param range - Bytes of that file; default: all of it.
   * @returns Each iteration is a separate reader. Its `next()` rejects with an `EngineError`: `bad-range`;
   *   `too-many-readers` (64 of one torrent at once); `stopped` when the torrent is stopped; `broken`; `unreadable`
   *   when the disk refused several times; `not-fetched` when a torrent that is only seeded lacks a piece;
   *   `overlapping-read` when it is called before the previous call has ended.
   */
  read(
    file: number,
    range?: { readonly begin: number; readonly end: number },
    options?: ReadOptions,
  ): AsyncIterable<Uint8Array>;
}

export interface EngineSession {
  readonly peerId: Uint8Array;
  /** The bound port; 0 before `listen`. */
  readonly port: number;
  /** @param port - At which a router passes peers on to us; `undefined` when none does. */
  setOuterPort(port: number | undefined): void;
  listen(options: { host: string; port: number }): Promise<number>;
  /**
   * @throws {EngineError} `duplicate-torrent` when there already is a torrent with one of its infohashes;
   *   `duplicate-extension` when two of its extensions have the same name.
   */
  add(options: AddTorrent): EngineTorrent;
  find(wireInfohash: Uint8Array): EngineTorrent | undefined;
  /**
   * Hands the peers that ask for an infohash to an owner that is not a torrent.
   *
   * @returns A route, with which the owner dials peers and ends it.
   * @throws {EngineError} `duplicate-torrent` when a torrent or another owner has the infohash; `closed`.
   */
  route(wireInfohash: Uint8Array, owner: PeerOwner): PeerRoute;
  torrents(): Iterable<EngineTorrent>;
  /** Says goodbye to peers and trackers, makes data durable, and hands out the last resume. */
  remove(torrent: EngineTorrent): Promise<void>;
  /** Open connections stay, even when they are more than there may be now. */
  setLimits(limits: Partial<SessionLimits>): void;
  /** Sets the rates that the torrents of a group share equally, in addition to all other limits. 0 is no limit. */
  setGroupLimits(
    name: string,
    limits: Pick<SessionLimits, "downBytesPerSecond" | "upBytesPerSecond">,
  ): void;
  close(): Promise<void>;
}

/** The origin of a peer's address. `incoming`: the peer dialled us and told us where it listens. */
export type SourceKind =
  | "manual"
  | "magnet"
  | "resume"
  | "incoming"
  | "tracker"
  | "dht"
  | "pex"
  | "lsd"
  | "webrtc";

/**
 * A source of peers: a tracker client now, DHT, LSD and PEX later. The engine does not know how it works; `daemon/`
 * connects them.
 */
export interface PeerSource {
  /** The addresses it offers keep its kind. A private torrent uses trackers only (BEP 27). */
  readonly kind: SourceKind;
  /** The torrent begins to want peers. */
  attach(swarm: SwarmView): PeerSourceHandle;
}

/** What a peer source may know and do. */
export interface SwarmView {
  readonly infohashes: Infohashes;
  readonly private: () => boolean;
  readonly peerId: Uint8Array;
  /** Where we listen: for neighbours. */
  readonly port: () => number;
  /** The port at which the world reaches us: another one than `port` where a router maps it so. */
  readonly outerPort: () => number;
  readonly stats: () => Pick<TorrentStats, "uploaded" | "downloaded" | "left">;
  /** True while more peers are welcome. */
  readonly wantsPeers: () => boolean;
  readonly offerPeers: (peers: readonly PeerAddress[]) => void;
  /**
   * Somebody says how the world sees us (BEP 24, BEP 42).
   *
   * @param by - The address of whoever says it; `undefined` when many have voted about it.
   */
  readonly handleOuterAddress?: ((seen: string, by: string | undefined) => void) | undefined;
}

export interface PeerSourceHandle {
  /**
   * A magnet link's metadata has arrived, and with it whether the torrent is private. If it is, peers come from one
   * tracker at a time from now on (BEP 27), and sources other than trackers are detached instead.
   */
  handleMetadata(): void;
  /** The torrent has everything it wants now. */
  handleComplete(): void;
  /** The torrent stops; resolves when the source has said goodbye (bounded to 2 s by the source). */
  detach(): Promise<void>;
}

export type EngineErrorCode =
  | "duplicate-torrent"
  | "duplicate-extension"
  | "closed"
  | "bad-range"
  | "too-many-readers"
  | "too-many-dials"
  | "unreachable"
  | "stopped"
  | "broken"
  | "unreadable"
  | "not-fetched"
  | "overlapping-read";

/** For a hub that keeps most torrents asleep: called when a handshake names an unknown infohash. */
export type WakeTorrent = (wireInfohash: Uint8Array) => Promise<EngineTorrent | undefined>;

/**
 * Our DHT node, as far as peers are concerned (BEP 5). Peers of public torrents are told its port, and tell theirs; a
 * torrent whose info is not known yet may be private.
 */
export interface PeerDht {
  /** The UDP port of the node; `undefined` while there is none. */
  readonly port: () => number | undefined;
  /** A peer has a node at its own address. Called once for a connection at most. */
  readonly handleNode: (node: Endpoint) => void;
}

export interface SessionOptions {
  readonly ports: EnginePorts;
  readonly settings?: Partial<EngineSettings> | undefined;
  readonly wake?: WakeTorrent | undefined;
  readonly decorators?: StreamDecorators | undefined;
  readonly dht?: PeerDht | undefined;
  /** A peer has dialled us. Nothing of it is known but its address. */
  readonly onCall?: ((remote: PeerAddress) => void) | undefined;
  /** Torrents have holepunching (BEP 55): see `Reachability` for what follows. */
  readonly opensRouters?: boolean | undefined;
}
