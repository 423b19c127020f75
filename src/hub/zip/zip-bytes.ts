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
  /** For each entry, its index in `content.files`. */
  readonly files: Uint32Array;
  readonly time: DosTime;
}

/**
 * Generates a part of an archive while it is read, in chunks that the caller owns. Bytes before the part are read
 * only when a checksum is needed that is not known yet.
 *
 * @param breathe - Resolves when other work has had a turn.
 * @throws {PublishError} (rejects) Like `StoredContent.read`; or the signal's reason.
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

/** Cuts a stream of bytes to a range, and into chunks of one size. */
class ChunkWriter {
  readonly #range: ByteRange;
  /** The position of the next byte, counted from the start of the archive. */
  #position = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  #filled = 0;

  constructor(range: ByteRange) {
    this.#range = range;
  }

  /** True when the range is complete. */
  get done(): boolean {
    return this.#position > this.#range.last;
  }

  /** Bytes accepted next: as many as fit into the chunk, or remain of the range. */
  get room(): number {
    return Math.min(CHUNK_BYTES - this.#filled, this.#range.last + 1 - this.#position);
  }

  /** Moves to `position`; nothing of the range may be skipped. */
  seek(position: number): void {
    invariant(
      position === this.#position || position <= this.#range.first || this.#filled === 0,
      "an archive has no gaps",
    );
    this.#position = position;
  }

  /** Skips bytes before the range. @returns How many of the next `length` bytes these are. */
  skip(length: number): number {
    const skipped = Math.min(length, Math.max(0, this.#range.first - this.#position));
    this.#position += skipped;
    return skipped;
  }

  /** @returns The full chunks, owned by the caller. */
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

  /** @returns The rest, less than a whole chunk. */
  finish(): Uint8Array {
    return this.#chunk.subarray(0, this.#filled);
  }
}

/** The bytes around the last read position, so that many small files need one read. */
class DataWindow {
  readonly #content: StoredContent;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(content: StoredContent) {
    this.#content = content;
  }

  /** @returns 1 to `length` bytes of the torrent's space from `start` on, valid until the next call. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const { geometry } = this.#content.info;
    const at = start - this.#start;
    if (at >= 0 && at < this.#bytes.length) return this.#bytes.subarray(at, at + length);
    const needed = start + Math.min(length, READ_BYTES_MAX);
    // The whole piece is verified anyway, and the files after it will probably be needed next. In a v2-only torrent
    // the piece ends with its file.
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
