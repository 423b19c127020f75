import { isMainThread, threadId } from "node:worker_threads";
import type { ChunkLoader } from "./chunk-loader.ts";
import { writeCode } from "./code-file.ts";

/** A worker is ended from outside, without a word: it writes what it has from time to time. */
const WORKER_PERIOD_MS = 100;

/**
 * Writes what V8 has compiled of each chunk when the process ends: the functions that ran, and those that an
 * earlier recording compiled.
 */
export function recordCode(loader: ChunkLoader): void {
  const write = (): void => {
    for (const [chunk, script] of loader.scripts) {
      writeCode(chunk, script.createCachedData(), `${process.pid}-${threadId}`);
    }
  };
  if (isMainThread) process.on("exit", write);
  else setInterval(write, WORKER_PERIOD_MS).unref();
}
