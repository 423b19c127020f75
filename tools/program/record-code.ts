import { isMainThread, threadId } from "node:worker_threads";
import type { ChunkLoader } from "./chunk-loader.ts";
import { writeCode } from "./code-file.ts";

/** A worker is terminated from outside without notice, so it writes what it has at intervals. */
const WORKER_PERIOD_MS = 100;

/**
 * Writes the code that V8 compiled of each chunk when the process ends: the functions that ran, and those that an
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
