import type { ReadFile } from "../ports/files.ts";
import type { ByteRange } from "./byte-range.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * Part of a file as a stream that reads only as fast as somebody takes it, and closes the file at the
 * end, whichever end that is.
 *
 * @param breakOff - Ends the answer: the promised length cannot be kept.
 */
export function fileStream(
  file: ReadFile,
  range: ByteRange,
  breakOff: (controller: ReadableStreamDefaultController, cause: unknown) => void,
): ReadableStream<Uint8Array> {
  let position = range.first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const left = range.last + 1 - position;
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, left));
        let read = 0;
        try {
          if (left > 0) read = await file.read(chunk, position);
          if (left > 0 && read === 0) throw new Error("the file became shorter while it was read");
        } catch (error) {
          await file.close();
          breakOff(controller, error);
          return;
        }
        position += read;
        if (read > 0) controller.enqueue(chunk.subarray(0, read));
        if (position <= range.last) return;
        await file.close();
        controller.close();
      },
      async cancel() {
        await file.close();
      },
    },
    // One chunk ahead at most: a slow reader holds no memory.
    { highWaterMark: 1 },
  );
}
