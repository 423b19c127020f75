import { invariant } from "../base/errors.ts";
import { toHex } from "../base/bytes.ts";
import { contentLayout } from "../engine/content-layout.ts";
import { decodeResume, encodeResume } from "../engine/resume-codec.ts";
import type {
  AddTorrent,
  EngineTorrent,
  ResumeState,
  TorrentEvent,
} from "../engine/session-contract.ts";
import type { MagnetLink, Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { PieceHasher } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { FetchRow } from "../store/fetches.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Fetch, TrackerNotice } from "./fetch-state.ts";
import { PublishError } from "./publish-error.ts";
import type { FetchedTorrent } from "./torrent-adoption.ts";

const NODE_BYTES = 32;
/** A fetch without a new piece and without a sender for this long is stalled. */
const STALLED_MS = 60_000;
const NOBODY_TO_ASK = "this hub has nobody to ask for it";
const NOBODY_IN_DHT = "this hub asks the DHT, where nobody is known who has it";

export type FetchSource = { readonly metainfo: Metainfo } | { readonly magnet: MagnetLink };

/** The engine that fetches, with its trackers; `daemon/` guards the addresses it contacts (house rule 8). */
export interface FetchEngine {
  add(options: AddTorrent, trackers: readonly (readonly string[])[]): Promise<EngineTorrent>;
  /** Whether the DHT is asked for peers. */
  asksDht(): boolean;
  /** Current messages of the trackers of an added torrent: a bounded list, warnings first. */
  trackerNotices(torrent: EngineTorrent): readonly TrackerNotice[];
  /** Says goodbye and makes everything durable. */
  remove(torrent: EngineTorrent): Promise<void>;
}

export interface FetchRunOptions {
  readonly row: FetchRow;
  readonly source: FetchSource;
  readonly engine: FetchEngine;
  /** Computes the piece layers of a v2 torrent that came by magnet link. */
  readonly hasher: PieceHasher;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  /** Called as soon as the contents are known. @throws (rejects) When the torrent must not be fetched. */
  readonly judge: (info: TorrentInfo) => Promise<void>;
}

/** The figures of a fetch that change while it runs. */
type FetchFigures = Pick<
  Fetch,
  | "state"
  | "size"
  | "bytesDone"
  | "bytesPerSecond"
  | "peers"
  | "slowness"
  | "problem"
  | "name"
  | "trackerNotices"
>;

/** The figures of a fetch that is not running. */
export const NOTHING_YET = {
  size: null,
  bytesDone: 0,
  bytesPerSecond: 0,
  peers: 0,
  slowness: null,
  trackerNotices: [],
} as const;

/** Fetches one torrent from its swarm. */
export class FetchRun {
  /** Resolves when everything is there and durable; `undefined` when it was stopped. */
  readonly done: Promise<FetchedTorrent | undefined>;
  readonly #options: FetchRunOptions;
  readonly #end = Promise.withResolvers<boolean>();
  #torrent: EngineTorrent | undefined;
  #name: string | undefined;
  #lastNewsMs: number;
  #saving: Promise<void> = Promise.resolve();
  #removed: Promise<void> | undefined;

  constructor(options: FetchRunOptions) {
    this.#options = options;
    this.#lastNewsMs = options.clock.nowMs();
    this.done = this.#run();
    // Callers that follow it still see the rejection.
    this.done.catch(() => undefined);
  }

  figures(): FetchFigures {
    const torrent = this.#torrent;
    const name = this.#name ?? this.#options.row.name;
    const { source } = this.#options;
    const info = "metainfo" in source ? source.metainfo.info : torrent?.info;
    const size = info?.geometry.dataLength ?? null;
    if (!torrent) {
      const state = info ? "fetching" : "finding";
      return { ...NOTHING_YET, name, size, state, problem: null };
    }
    const { doneBytes, downloadBytesPerSecond, peers, slowness } = torrent.stats();
    return {
      name,
      size,
      bytesDone: doneBytes,
      bytesPerSecond: downloadBytesPerSecond,
      peers,
      slowness: slowness ?? null,
      trackerNotices: this.#options.engine.trackerNotices(torrent),
      state: this.#stateOf(torrent, downloadBytesPerSecond),
      problem: this.#problem(torrent),
    };
  }

  /** Stops it; fetched data stays. Safe to repeat. */
  async stop(): Promise<void> {
    this.#end.resolve(false);
    await this.done.catch(() => undefined);
    await this.#remove();
  }

  #problem(torrent: EngineTorrent): string | null {
    if (torrent.state.kind === "waiting") return "The disk of this hub refuses at the moment.";
    // Only peers that connect by themselves can bring it, so say so at once.
    const { source, engine } = this.#options;
    const isFetching = torrent.info !== undefined && hasWebSeeds(source);
    const isAlone = trackersOf(source).length === 0 && !isFetching && torrent.stats().peers === 0;
    if (!isAlone) return null;
    // The info of a magnet link comes from peers alone.
    const named = "magnet" in source ? "no tracker" : "no tracker and no web seed";
    return engine.asksDht()
      ? `It names ${named}: ${NOBODY_IN_DHT}`
      : `It names ${named}: ${NOBODY_TO_ASK}`;
  }

  #stateOf({ state }: EngineTorrent, bytesPerSecond: number): Fetch["state"] {
    if (state.kind === "checking" || state.kind === "waiting") return state.kind;
    const silentMs = this.#options.clock.nowMs() - this.#lastNewsMs;
    if (bytesPerSecond === 0 && silentMs > STALLED_MS) return "stalled";
    return state.kind === "fetching-metadata" ? "finding" : "fetching";
  }

  async #run(): Promise<FetchedTorrent | undefined> {
    const { source, engine, folder, row } = this.#options;
    const resume = await this.#loadResume();
    this.#torrent = await engine.add(
      {
        from: source,
        root: folder.fetchContent(row.id),
        mode: "download",
        // Nobody else writes here, and the everseed expects the torrent's own names.
        existing: "own",
        keepsHiddenName: true,
        resume,
        onEvent: (event) => this.#handleEvent(event),
        saveResume: (state) => this.#saveResume(state),
      },
      trackersOf(source),
    );
    if ("metainfo" in source) this.#name = source.metainfo.info.name;
    try {
      if (!(await this.#end.promise)) return undefined;
    } finally {
      await this.#remove();
    }
    const { info } = this.#torrent;
    invariant(info, "a complete torrent knows what it is");
    // A .torrent file has more than a link: comment, date, maker, web seeds.
    if ("metainfo" in source) return { ...source.metainfo, info, trackers: trackersOf(source) };
    return {
      info,
      trackers: trackersOf(source),
      webSeeds: source.magnet.webSeeds,
      pieceLayers: await this.#layers(info),
    };
  }

  #handleEvent(event: TorrentEvent): void {
    switch (event.kind) {
      case "metadata":
        this.#news();
        this.#name = event.info.name;
        this.#options.judge(event.info).catch((error: unknown) => this.#end.reject(error));
        break;
      case "piece":
        this.#news();
        break;
      case "complete":
        this.#end.resolve(true);
        break;
      case "state":
        if (event.state.kind === "broken") {
          this.#end.reject(
            new PublishError(
              "bad-declaration",
              `What its peers have is broken: ${event.state.message}.`,
            ),
          );
        }
        break;
      default:
      // Lost pieces are fetched again, and banned peers are no concern of a fetch.
    }
  }

  #news(): void {
    this.#lastNewsMs = this.#options.clock.nowMs();
  }

  async #remove(): Promise<void> {
    const torrent = this.#torrent;
    if (!torrent) return;
    this.#removed ??= this.#options.engine.remove(torrent).then(() => this.#saving);
    await this.#removed;
  }

  async #loadResume(): Promise<ResumeState | undefined> {
    const { files, folder, row } = this.#options;
    const bytes = await files.read(folder.fetchResume(row.id));
    return bytes && decodeResume(bytes);
  }

  #saveResume(state: ResumeState): void {
    const { files, folder, row, log } = this.#options;
    this.#saving = this.#saving.then(async () => {
      try {
        await files.write(folder.fetchResume(row.id), encodeResume(state));
      } catch (error) {
        log.warn("how far a fetch got was not saved", { id: row.id, why: String(error) });
      }
    });
  }

  /**
   * The info dictionary of a magnet link holds only the roots of large files; the layers are computed from the files.
   */
  async #layers(info: TorrentInfo): Promise<Metainfo["pieceLayers"]> {
    const layers = new Map<string, Uint8Array>();
    if (info.kind === "v1") return layers;
    const { hasher, folder, row } = this.#options;
    const layout = contentLayout(info, folder.fetchContent(row.id), undefined, "own");
    const { v2 } = await hasher.measure({ layout, v1: false, v2: true });
    invariant(v2, "the hasher finds what it is asked for");
    for (const [index, file] of info.files.entries()) {
      if (!file.piecesRoot || file.length <= info.geometry.pieceLength) continue;
      const { first, end } = info.geometry.filePieces(index);
      layers.set(toHex(file.piecesRoot), v2.slice(first * NODE_BYTES, end * NODE_BYTES));
    }
    return layers;
  }
}

function hasWebSeeds(source: FetchSource): boolean {
  if ("magnet" in source) return source.magnet.webSeeds.length > 0;
  return source.metainfo.webSeeds.length + source.metainfo.httpSeeds.length > 0;
}

function trackersOf(source: FetchSource): readonly (readonly string[])[] {
  // A link has no tiers: each tracker is asked (BEP 9).
  return "metainfo" in source
    ? source.metainfo.trackers
    : source.magnet.trackers.map((url) => [url]);
}
