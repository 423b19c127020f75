import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Reader, ReadPart, ReadRequest, Reads } from "../download/reads.ts";
import { EngineError } from "../engine-error.ts";
import type { EngineErrorCode, ReadOptions } from "../session-contract.ts";

/** Readers that may wait for the torrent to open; as many as may read then. */
const WAITING_MAX = 64;

interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

export interface TorrentReadsOptions {
  readonly info: () => TorrentInfo | undefined;
  readonly nowMs: () => number;
  /** Runs the callback as a burst of the torrent. */
  readonly burst: (run: () => void) => void;
}

/** The readers that `EngineTorrent.read` creates, from the moment the torrent is added until it stops. */
export class TorrentReads {
  readonly #options: TorrentReadsOptions;
  /** Set once the files are open. */
  #reads: Reads | undefined;
  /** Readers that wait for the files to open. */
  readonly #waiting = new Set<ReadIterator>();
  readonly #reading = new Map<Reader, ReadIterator>();
  #ended: EngineError | undefined;

  constructor(options: TorrentReadsOptions) {
    this.#options = options;
  }

  read(
    file: number,
    range: ByteRange | undefined,
    options: ReadOptions = {},
  ): AsyncIterable<Uint8Array> {
    const { burst, nowMs, info } = this.#options;
    return {
      [Symbol.asyncIterator]: () =>
        new ReadIterator({
          burst,
          torrent: this,
          signal: options.signal,
          request: () => ({
            ...placeOf(info()!, file, range),
            ...paceOf(options, nowMs()),
          }),
        }),
    };
  }

  handleOpened(reads: Reads): void {
    this.#reads = reads;
    for (const iterator of this.#waiting) iterator.handleOpened(reads);
    this.#waiting.clear();
  }

  /** Nothing can be read any more. */
  end(code: EngineErrorCode, detail: string): void {
    this.#ended ??= new EngineError(code, detail);
    for (const iterator of this.#waiting) iterator.fail(this.#ended);
    this.#waiting.clear();
    this.#reads?.end(this.#ended);
  }

  /** An iterator requests its first part. */
  begin(iterator: ReadIterator): void {
    if (this.#ended) {
      iterator.fail(this.#ended);
    } else if (this.#reads) {
      iterator.handleOpened(this.#reads);
    } else if (this.#waiting.size < WAITING_MAX) {
      this.#waiting.add(iterator);
    } else {
      const detail = `${WAITING_MAX} readers wait for the torrent to open, which is the limit; try again later`;
      iterator.fail(new EngineError("too-many-readers", detail));
    }
  }

  /** Its parts go to the iterator from now on. */
  handleReading(reader: Reader, iterator: ReadIterator): void {
    this.#reading.set(reader, iterator);
  }

  /** A part that a reader requested; one that went away meanwhile gets nothing. */
  handlePart(reader: Reader, part: ReadPart): void {
    this.#reading.get(reader)?.handlePart(part);
  }

  forget(iterator: ReadIterator, reader: Reader | undefined): void {
    this.#waiting.delete(iterator);
    if (reader) this.#reading.delete(reader);
  }
}

interface ReadIteratorOptions {
  readonly torrent: TorrentReads;
  readonly burst: (run: () => void) => void;
  readonly signal: AbortSignal | undefined;
  /** Call it when the info is known. @throws {EngineError} `bad-range`. */
  readonly request: () => ReadRequest;
}

/**
 * One reader as callers see it. It is not an async generator, whose `return()` would wait for a pending `next()`.
 *
 * new -> waiting (for the torrent to open) -> reading -> ended; each -> ended.
 */
class ReadIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #options: ReadIteratorOptions;
  #state:
    | { readonly kind: "new" | "waiting" | "ended" }
    | { readonly kind: "reading"; readonly reads: Reads; readonly reader: Reader } = {
    kind: "new",
  };
  /** The reason why it ended, until a caller was told. */
  #failure: { readonly reason: unknown } | undefined;
  #pending: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;
  readonly #onAbort = (): void => this.fail(this.#options.signal!.reason);

  constructor(options: ReadIteratorOptions) {
    this.#options = options;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const asked = Promise.withResolvers<IteratorResult<Uint8Array, undefined>>();
    if (this.#failure) {
      asked.reject(this.#failure.reason);
      this.#failure = undefined;
    } else if (this.#state.kind === "ended") {
      asked.resolve({ done: true, value: undefined });
    } else if (this.#pending) {
      const detail = "a part is asked for while the one before is waited for; await each next()";
      asked.reject(new EngineError("overlapping-read", detail));
    } else {
      this.#pending = asked;
      this.#options.burst(() => this.#ask());
    }
    return asked.promise;
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#failure = undefined;
    this.#end()?.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  handleOpened(reads: Reads): void {
    try {
      const request = this.#options.request();
      if (request.offset === request.endOffset) {
        this.#end()?.resolve({ done: true, value: undefined });
        return;
      }
      const reader = reads.open(request);
      this.#state = { kind: "reading", reads, reader };
      this.#options.torrent.handleReading(reader, this);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.fail(error);
      return;
    }
    this.#ask();
  }

  /** Ends with a rejection of the pending request. */
  fail(reason: unknown): void {
    const pending = this.#end();
    if (pending) pending.reject(reason);
    else this.#failure = { reason };
  }

  #ask(): void {
    const state = this.#state;
    if (state.kind === "reading") {
      state.reads.next(state.reader);
    } else if (state.kind === "new") {
      this.#state = { kind: "waiting" };
      this.#begin();
    }
  }

  #begin(): void {
    const { signal, torrent } = this.#options;
    if (signal?.aborted === true) {
      this.fail(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.#onAbort);
    torrent.begin(this);
  }

  handlePart(part: ReadPart): void {
    switch (part.kind) {
      case "bytes": {
        const pending = this.#pending!;
        this.#pending = undefined;
        pending.resolve({ done: false, value: part.bytes });
        return;
      }
      case "end":
        this.#end()?.resolve({ done: true, value: undefined });
        return;
      case "failed":
        this.fail(part.error);
    }
  }

  /** @returns The pending request, to be settled. */
  #end(): PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined {
    const state = this.#state;
    const pending = this.#pending;
    this.#state = { kind: "ended" };
    this.#pending = undefined;
    const { signal, torrent, burst } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    torrent.forget(this, state.kind === "reading" ? state.reader : undefined);
    if (state.kind === "reading") burst(() => state.reads.close(state.reader));
    return pending;
  }
}

/** @throws {EngineError} `bad-range` */
function placeOf(
  info: TorrentInfo,
  file: number,
  range: ByteRange | undefined,
): { readonly offset: number; readonly endOffset: number } {
  const extent = info.geometry.files[file];
  if (!extent || extent.pad) {
    const detail = `there is no file ${file}; files count from 0, padding files included but not readable`;
    throw new EngineError("bad-range", detail);
  }
  const { begin, end } = range ?? { begin: 0, end: extent.length };
  const isWhole = Number.isSafeInteger(begin) && Number.isSafeInteger(end);
  if (!isWhole || begin < 0 || begin > end || end > extent.length) {
    const detail = `bytes ${begin} to ${end} are not all in file ${file}, which has ${extent.length}`;
    throw new EngineError("bad-range", detail);
  }
  return { offset: extent.offset + begin, endOffset: extent.offset + end };
}

/** @throws {EngineError} `bad-range` */
function paceOf(
  { deadline, bytesPerSecond }: ReadOptions,
  now: number,
): { readonly deadlineMs: number; readonly bytesPerSecond: number | undefined } {
  const isPace = bytesPerSecond === undefined || (bytesPerSecond > 0 && bytesPerSecond < Infinity);
  if (!isPace || (deadline !== undefined && !Number.isFinite(deadline))) {
    const detail = `a reader cannot need ${bytesPerSecond} bytes a second from ${deadline} ms on`;
    throw new EngineError("bad-range", detail);
  }
  return { deadlineMs: deadline ?? now, bytesPerSecond };
}
