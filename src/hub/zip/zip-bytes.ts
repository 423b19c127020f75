import { invariant } from "../../base/errors.ts";
import { READ_BYTES_MAX, type StoredContent } from "../../publish/stored-contents.ts";
import type { ByteRange } from "../byte-range.ts";
import type { ZipLayout } from "./zip-layout.ts";
import { centralEntry, descriptor, type DosTime, endRecord, localHeader } from "./zip-records.ts";

const CHUNK_BYTES = READ_BYTES_MAX;

/** An archive of files of one torrent. */
export interface Zip {
  readonly layout: ZipLayout;
  readonly content: StoredContent;
  /** For each entry its file, counted as in `content.files`. */
  readonly files: Uint32Array;
  readonly time: DosTime;
}

/**
 * Makes a part of an archive as it is taken, in chunks that are the caller's. What lies before the part is not
 * read, unless a sum is asked for that nobody knows yet.
 *
 * @param breathe - Resolves when others had a turn.
 * @throws {PublishError} (rejects) As `StoredContent.read`; or the signal's reason.
 */
export async function* zipBytes(
  zip: Zip,
  range: ByteRange,
  { signal, breathe }: { signal: AbortSignal; breathe: () => Promise<void> },
): AsyncGenerator<Uint8Array> {
  const { layout, content, files, time } = zip;
  const out = new ChunkWriter(range);
  const data = new DataWindow(content);
  for (let index = layout.entryAt(range.first); index < layout.count && !out.done; index += 1) {
    const entry = layout.entry(index);
    const file = files[index]!;
    const { offset, length } = content.files[file]!;
    out.seek(entry.start);
    for (const chunk of out.put(localHeader(entry, time))) yield chunk;
    for (let at = out.skip(length); at < length && !out.done;) {
      signal.throwIfAborted();
      const bytes = await data.read(offset + at, Math.min(length - at, out.room));
      content.sums.feed(file, at, bytes);
      at += bytes.length;
      for (const chunk of out.put(bytes)) yield chunk;
    }
    if (out.done) break;
    for (const chunk of out.put(descriptor(length, await content.sum(file, signal)))) yield chunk;
  }
  for (
    let index = layout.centralEntryAt(range.first);
    index < layout.count && !out.done;
    index += 1
  ) {
    const sum = await content.sum(files[index]!, signal);
    out.seek(layout.centralStart(index));
    for (const chunk of out.put(centralEntry(layout.entry(index), sum, time))) {
      yield chunk;
      await breathe();
    }
  }
  if (!out.done) {
    out.seek(layout.directory.start + layout.directory.bytes);
    for (const chunk of out.put(endRecord(layout.directory))) yield chunk;
  }
  const last = out.finish();
  if (last.length > 0) yield last;
}

/** Cuts a stream of bytes down to a range, and into chunks of one size. */
class ChunkWriter {
  readonly #range: ByteRange;
  /** Where the next byte belongs, counted from the start of the archive. */
  #position = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  #filled = 0;

  constructor(range: ByteRange) {
    this.#range = range;
  }

  /** The range is filled. */
  get done(): boolean {
    return this.#position > this.#range.last;
  }

  /** Bytes that may come at once: those that fit into the chunk, or into what is left of the range. */
  get room(): number {
    return Math.min(CHUNK_BYTES - this.#filled, this.#range.last + 1 - this.#position);
  }

  /** The next bytes belong to `position`; nothing of the range lies between. */
  seek(position: number): void {
    invariant(
      position === this.#position || position <= this.#range.first || this.#filled === 0,
      "an archive has no gaps",
    );
    this.#position = position;
  }

  /** Passes over bytes before the range. @returns How many of the next `length` bytes those are. */
  skip(length: number): number {
    const skipped = Math.min(length, Math.max(0, this.#range.first - this.#position));
    this.#position += skipped;
    return skipped;
  }

  /** @returns The chunks that are full now, the caller's. */
  *put(bytes: Uint8Array): Generator<Uint8Array> {
    const skipped = this.skip(bytes.length);
    let rest = bytes.subarray(skipped);
    while (rest.length > 0 && !this.done) {
      const part = rest.subarray(0, this.room);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      this.#position += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < CHUNK_BYTES) continue;
      yield this.#chunk;
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#filled = 0;
    }
  }

  /** @returns What is left, less than a whole chunk. */
  finish(): Uint8Array {
    return this.#chunk.subarray(0, this.#filled);
  }
}

/** The bytes around the last place that was read, so that many small files are one read. */
class DataWindow {
  readonly #content: StoredContent;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(content: StoredContent) {
    this.#content = content;
  }

  /** @returns Between one and `length` bytes of the torrent's space from `start` on, valid until the next call. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const { geometry } = this.#content.info;
    const at = start - this.#start;
    if (at >= 0 && at < this.#bytes.length) return this.#bytes.subarray(at, at + length);
    const needed = start + Math.min(length, READ_BYTES_MAX);
    // The piece is judged anyway, and the files behind are likely to be asked for next. In a v2-only torrent
    // there is nothing behind.
    const pieceEnd = Math.ceil(needed / geometry.pieceLength) * geometry.pieceLength;
    const end = geometry.aligned
      ? needed
      : Math.min(start + READ_BYTES_MAX, pieceEnd, geometry.spaceLength);
    const bytes = new Uint8Array(end - start);
    await this.#content.read(start, bytes);
    this.#start = start;
    this.#bytes = bytes;
    return bytes.subarray(0, length);
  }
}
