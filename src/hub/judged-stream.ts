import { READ_BYTES_MAX, type StoredContent } from "../publish/stored-contents.ts";
import type { DirectDownload } from "./direct-downloads.ts";
import type { ByteRange } from "./byte-range.ts";

/** What happens at the start and the end of a stream. */
export interface StreamEnds {
  /** Called when the first chunk is ready. @param breakOff - Aborts the stream. */
  readonly begin: (breakOff: () => void) => DirectDownload;
  /** Frees what it holds. Safe to repeat. */
  readonly end: () => Promise<void>;
  /** Called when the stream cannot be finished and the promised length cannot be kept. */
  readonly fail: (controller: ReadableStreamDefaultController, cause: unknown) => void;
}

/**
 * Sends the output of a generator as fast as the client reads. The first chunk is made before this resolves, so that
 * an early failure is refused in words; later failures can only abort the connection.
 *
 * @param stop - Aborted when the client does not want the rest.
 */
export async function judgedStream(
  chunks: AsyncGenerator<Uint8Array>,
  stop: AbortController,
  { begin, end, fail }: StreamEnds,
): Promise<ReadableStream<Uint8Array>> {
  let next: IteratorResult<Uint8Array, unknown> | undefined = await chunks.next();
  const download = begin(() => stop.abort(new Error("the torrent was taken back")));
  const leave = (): Promise<void> => {
    download.end();
    return end();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          stop.signal.throwIfAborted();
          const chunk = next ?? (await chunks.next());
          next = undefined;
          if (chunk.done !== true) {
            download.count(chunk.value.length);
            return controller.enqueue(chunk.value);
          }
          await leave();
          controller.close();
        } catch (error) {
          await leave();
          fail(controller, error);
        }
      },
      async cancel() {
        stop.abort();
        await leave();
      },
    },
    // At most one chunk ahead: a slow reader holds no memory.
    { highWaterMark: 1 },
  );
}

/**
 * Reads a part of one file; every byte is verified.
 *
 * @param file - Index among the real files.
 * @throws {PublishError} (rejects) Like `StoredContent.read`; or the signal's reason.
 */
export async function* fileBytes(
  content: StoredContent,
  file: number,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { offset } = content.files[file]!;
  for (let at = range.first; at <= range.last;) {
    signal.throwIfAborted();
    const bytes = new Uint8Array(Math.min(READ_BYTES_MAX, range.last + 1 - at));
    await content.read(offset + at, bytes);
    at += bytes.length;
    yield bytes;
  }
}
