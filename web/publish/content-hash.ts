import type { HashJob, HashNews, PieceHashes } from "./hash-worker.ts";
import { pieceCountOf } from "./piece-plan.ts";

/** Above this the answer would come too late: the hub finds it out when the upload ends. */
const piecesMax = 100_000;
/** Bytes; a whole piece is in memory while it is hashed. */
const pieceSizeMax = 64 * 1024 * 1024;

/** The piece hashes of chosen files, computed in a worker so that the page never waits. */
export class ContentHash {
  /** `undefined` when they could not be computed, or hashing was stopped. */
  readonly pieces: Promise<PieceHashes | undefined>;
  readonly #worker: Worker | undefined;
  #bytes = 0;
  #settle: (pieces: PieceHashes | undefined) => void = () => undefined;

  /** @param job.files - Must be in the order of the torrent. */
  constructor(job: HashJob) {
    this.pieces = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { files, pieceSize, kind } = job;
    const sizes = files.map((file) => file.size);
    const count = pieceCountOf(sizes, pieceSize, kind);
    if (count === 0 || count > piecesMax || pieceSize > pieceSizeMax) {
      this.#settle(undefined);
      return;
    }
    this.#worker = new Worker(new URL("./hash-worker.ts", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", (event: MessageEvent<HashNews>) => {
      this.#handleNews(event.data);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#handleNews({ kind: "failed", why: event.message });
    });
    this.#worker.postMessage(job);
  }

  /** Bytes hashed so far. */
  get bytes(): number {
    return this.#bytes;
  }

  stop(): void {
    this.#worker?.terminate();
    this.#settle(undefined);
  }

  #handleNews(news: HashNews): void {
    if (news.kind === "progress") {
      this.#bytes = news.bytes;
      return;
    }
    if (news.kind === "failed") {
      console.debug("the files were not hashed", news.why);
      this.#settle(undefined);
    } else this.#settle(news.hashes);
    this.#worker?.terminate();
  }
}
