import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";

/** Chunks that may wait between the socket and their reader; each has 64 KiB at most. */
const CHUNKS_WAITING_MAX = 4;

/**
 * The body of a request, in the chunks the parser made. `Readable.toWeb` copies each chunk; here
 * the reader owns it and may release its memory as soon as it is done with it.
 *
 * @param onCut - Called when the connection ends before the body does. Returns the error for the
 * reader.
 */
export function rawBody(incoming: IncomingMessage, onCut: () => Error): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming.pause();
        incoming.on("data", (chunk: Uint8Array) => {
          if (open) controller.enqueue(chunk);
          if (!open || (controller.desiredSize ?? 0) <= 0) incoming.pause();
        });
        finished(incoming, { writable: false }, (error) => {
          if (!open) return;
          open = false;
          if (!error) return controller.close();
          controller.error(onCut());
        });
      },
      pull() {
        incoming.resume();
      },
      cancel() {
        // The connection belongs to the server, which must still send an answer on it.
        open = false;
        incoming.pause();
      },
    },
    { highWaterMark: CHUNKS_WAITING_MAX },
  );
}
