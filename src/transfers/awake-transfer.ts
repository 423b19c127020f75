import type { EngineTorrent } from "../engine/session-contract.ts";
import type { StoredTransfer, TransferRow } from "../store/transfers.ts";
import { rowState, seededMs } from "./transfer-row.ts";
import { stateOf, type TransferState } from "./transfer-state.ts";

/** A transfer whose torrent is in the engine. */
export class AwakeTransfer {
  /** As it is in the database, except for figures. */
  row: TransferRow;
  readonly torrent: EngineTorrent;
  /** Its trackers are not asked by the engine: it was asleep, and its turns go on announcing it. */
  readonly quiet: boolean;
  /** Bytes of the row that the engine's figures do not contain. */
  readonly #uploadedBefore: number;
  readonly #downloadedBefore: number;
  /** The figures that are in the database, or on their way there. */
  #saved: Figures;
  #lastUploaded: number;
  #lastDownloaded: number;
  /** That the engine's figures began with. */
  readonly #begun: { readonly uploaded: number; readonly downloaded: number };
  /** Monotonic milliseconds. */
  lastPeerMs: number;
  lastByteMs: number;
  /** Streams of its files: it neither sleeps nor rests meanwhile. */
  readers = 0;

  /** @param options.counted - Bytes that the engine's figures begin with. */
  constructor(options: {
    readonly row: TransferRow;
    readonly torrent: EngineTorrent;
    readonly quiet: boolean;
    readonly counted: { readonly uploaded: number; readonly downloaded: number };
    readonly nowMs: number;
  }) {
    const { row, torrent, quiet, counted, nowMs } = options;
    this.row = row;
    this.torrent = torrent;
    this.quiet = quiet;
    // A kill may lose the last seconds of either: the larger one is right.
    this.#uploadedBefore = Math.max(0, row.uploaded - counted.uploaded);
    this.#downloadedBefore = Math.max(0, row.downloaded - counted.downloaded);
    this.#begun = counted;
    this.#lastUploaded = counted.uploaded;
    this.#lastDownloaded = counted.downloaded;
    this.#saved = figuresOf(row);
    this.lastPeerMs = nowMs;
    this.lastByteMs = nowMs;
  }

  get id(): string {
    return this.row.id;
  }

  /** No peer is connected, and nobody reads its files. */
  get isIdle(): boolean {
    return this.readers === 0 && this.torrent.stats().peers === 0;
  }

  get isFinished(): boolean {
    return this.row.finished_at !== null;
  }

  /** Bytes since it came into the engine, as of the last `count`. */
  get moved(): { readonly uploaded: number; readonly downloaded: number } {
    return {
      uploaded: this.#lastUploaded - this.#begun.uploaded,
      downloaded: this.#lastDownloaded - this.#begun.downloaded,
    };
  }

  state(): TransferState {
    const { state } = this.torrent;
    const { slowness, downloadBytesPerSecond } = this.torrent.stats();
    return stateOf(rowState(this.row), {
      state,
      slowness,
      downBytesPerSecond: downloadBytesPerSecond,
    });
  }

  /** Milliseconds for which nothing has arrived; 0 while it is checked. */
  stalledMs(nowMs: number): number {
    const { kind } = this.torrent.state;
    if (kind === "checking" || kind === "seeding" || this.readers > 0) return 0;
    return nowMs - this.lastByteMs;
  }

  /**
   * Brings its row's figures up to date. Call it at least once a minute.
   *
   * @param at.upMs - See `UpTime`.
   */
  count(nowMs: number, at: { readonly wallMs: number; readonly upMs: number }): void {
    const { uploaded, downloaded, doneBytes, wantedBytes, peers } = this.torrent.stats();
    const { row } = this;
    if (downloaded > this.#lastDownloaded) this.lastByteMs = nowMs;
    if (peers > 0) this.lastPeerMs = nowMs;
    const isActive = uploaded > this.#lastUploaded || downloaded > this.#lastDownloaded;
    this.#lastUploaded = uploaded;
    this.#lastDownloaded = downloaded;
    // Nothing counts as done before the existing files were examined.
    const isExamined = this.torrent.have !== undefined && !this.isFinished;
    const figures: Figures = {
      uploaded: this.#uploadedBefore + uploaded,
      downloaded: this.#downloadedBefore + downloaded,
      size: this.torrent.info === undefined ? row.size : wantedBytes,
      done: isExamined ? doneBytes : row.done,
      active_at: isActive ? Math.floor(at.wallMs) : row.active_at,
      active_seeded: isActive ? seededMs(row, at.upMs) : row.active_seeded,
    };
    if (!isSame(figures, row)) this.row = { ...row, ...figures };
  }

  /** The columns that `count` changes, for the database; `undefined` while they are there already. */
  takeFigures(): Figures | undefined {
    const figures = figuresOf(this.row);
    if (isSame(figures, this.#saved)) return undefined;
    this.#saved = figures;
    return figures;
  }
}

type Figures = Pick<
  StoredTransfer,
  "uploaded" | "downloaded" | "size" | "done" | "active_at" | "active_seeded"
>;

function isSame(a: Figures, b: Figures): boolean {
  return (
    a.uploaded === b.uploaded &&
    a.downloaded === b.downloaded &&
    a.size === b.size &&
    a.done === b.done &&
    a.active_at === b.active_at &&
    a.active_seeded === b.active_seeded
  );
}

function figuresOf({
  uploaded,
  downloaded,
  size,
  done,
  active_at,
  active_seeded,
}: TransferRow): Figures {
  return { uploaded, downloaded, size, done, active_at, active_seeded };
}
