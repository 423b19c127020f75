import { RateLimit } from "../sharing/rate-limit.ts";
import { PIPELINE_WINDOW_MS, RateMeter, SILENCE_MS } from "../sharing/rate-meter.ts";
import type { TorrentShares, TorrentTurns } from "../sharing/scheduler.ts";
import type { AddTorrent, ResumeState, TorrentLimits, TorrentStats } from "../session-contract.ts";
import type { TorrentHost } from "./torrent-host.ts";

/** The blocks of one torrent on the wire: how many bytes were moved, how fast they move and how fast they may. */
export class TorrentTraffic {
  /** Its claims on the rates that all torrents share. */
  readonly shares: TorrentShares;
  readonly #scheduler: TorrentHost["scheduler"];
  readonly #upLimit: RateLimit;
  readonly #downLimit: RateLimit;
  readonly #upMeter = new RateMeter(PIPELINE_WINDOW_MS, SILENCE_MS);
  readonly #downMeter = new RateMeter(PIPELINE_WINDOW_MS, SILENCE_MS);
  #uploaded: number;
  #downloaded: number;

  /** @param host - Has the limits for all torrents together. @param turns - What to do in its turns. */
  constructor(host: Pick<TorrentHost, "scheduler">, options: AddTorrent, turns: TorrentTurns) {
    this.#upLimit = new RateLimit(options.upBytesPerSecond ?? 0);
    this.#downLimit = new RateLimit(options.downBytesPerSecond ?? 0);
    const own = { down: this.#downLimit, up: this.#upLimit };
    this.#scheduler = host.scheduler;
    this.shares = host.scheduler.join(turns, own);
    host.scheduler.setGroup(this.shares, options.group);
    this.#uploaded = options.resume?.uploaded ?? 0;
    this.#downloaded = options.resume?.downloaded ?? 0;
  }

  /** Limits that are not given stay unchanged. */
  setLimits(limits: TorrentLimits): void {
    if (limits.downBytesPerSecond !== undefined) this.#downLimit.setRate(limits.downBytesPerSecond);
    if (limits.upBytesPerSecond !== undefined) this.#upLimit.setRate(limits.upBytesPerSecond);
    if (limits.group !== undefined) {
      this.#scheduler.setGroup(this.shares, limits.group ?? undefined);
    }
  }

  countUploaded(bytes: number, now: number): void {
    this.#uploaded += bytes;
    this.#upMeter.add(bytes, now);
  }

  countDownloaded(bytes: number, now: number): void {
    this.#downloaded += bytes;
    this.#downMeter.add(bytes, now);
  }

  /** Bytes since the torrent was first added, as a resume stores them. */
  totals(): Pick<ResumeState, "uploaded" | "downloaded"> {
    return { uploaded: this.#uploaded, downloaded: this.#downloaded };
  }

  stats(
    now: number,
  ): Pick<
    TorrentStats,
    "uploaded" | "downloaded" | "uploadBytesPerSecond" | "downloadBytesPerSecond"
  > {
    return {
      ...this.totals(),
      uploadBytesPerSecond: this.#upMeter.bytesPerSecond(now),
      downloadBytesPerSecond: this.#downMeter.bytesPerSecond(now),
    };
  }
}
