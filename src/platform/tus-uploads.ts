import { DetailedError, Upload } from "tus-js-client";
import type { UploadOutcome, UploadRequest, Uploads } from "../ports/net.ts";

/** One request carries this much; after each request the server reports how much it has stored. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** A server that restarts is back within half a minute. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000];

/** Resumable uploads with tus 1.0. */
export class TusUploads implements Uploads {
  async upload(request: UploadRequest): Promise<UploadOutcome> {
    const { signal } = request;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<UploadOutcome>();
    const tus = new Upload(Buffer.alloc(0), {
      uploadUrl: request.url,
      headers: { ...request.headers },
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      storeFingerprintForResuming: false,
      fileReader: { openFile: () => Promise.resolve(sourceOf(request)) },
      onProgress: request.onProgress,
      onSuccess: () => resolve({ kind: "done" }),
      onError: (error) => resolve(outcomeOf(error)),
    });
    const stop = (): void => {
      void tus.abort();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      tus.start();
      return await promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

function sourceOf({ size, read }: UploadRequest) {
  return {
    size,
    async slice(start: number, end: number) {
      const value = await read(start, end);
      // The client calls a method of this name for a chunk's size.
      return { value: Object.assign(value, { size: value.length }), done: end >= size };
    },
    close: () => undefined,
  };
}

function outcomeOf(error: Error): UploadOutcome {
  if (!(error instanceof DetailedError)) return { kind: "failed", cause: error };
  const { originalResponse, causingError } = error;
  if (!originalResponse) return { kind: "failed", cause: causingError ?? error };
  const status = originalResponse.getStatus();
  return { kind: "refused", status, body: originalResponse.getBody() };
}
