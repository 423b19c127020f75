import { READ_BYTES_MAX, type StoredContent } from "../publish/stored-contents.ts";
import type { DirectDownload } from "./direct-downloads.ts";
import type { ByteRange } from "./byte-range.ts";

/** How a stream begins and ends. */
export interface StreamEnds {
  /** Called once the first chunk is there. @param breakOff - Breaks the stream off. */
  readonly begin: (breakOff: () => void) => DirectDownload;
  /** Gives back what it holds. Safe to repeat. */
  readonly end: () => Promise<void>;
  /** It cannot be finished: the promised length cannot be kept. */
  readonly fail: (controller: ReadableStreamDefaultController, cause: unknown) => void;
}

/**
 * Sends what a generator makes, only as fast as somebody takes it. The first chunk is made before this resolves: what
 * cannot be read at once is refused with words, later only the connection can break off.
 *
 * @param stop - Is aborted when nobody takes the rest.
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
    // One chunk ahead at most: a slow reader holds no memory.
    { highWaterMark: 1 },
  );
}

/**
 * Reads a part of one file, all of it judged.
 *
 * @param file - Counts real files.
 * @throws {PublishError} (rejects) As `StoredContent.read`; or the signal's reason.
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
