import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCode } from "../base/system-code.ts";

const CHUNK_BYTES = 64 * 1024;
/** Between two looks at a pipe that has nothing at the moment. */
const PIPE_LOOK_MS = 25;
/** How long a pipe is waited for that nobody writes into. */
const PIPE_WAIT_MS = 5_000;

/**
 * Opens what a person names for reading. No call waits in the system for whoever is at the other end of a pipe: such a
 * call cannot be ended, and keeps the process from ending (CLI-15).
 *
 * @throws The system's error.
 */
export async function openToRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/**
 * Reads a file, a pipe or a device up to a limit: what is no regular file says nothing of its size, and may have no end.
 *
 * @param signal - Ends the wait for a pipe.
 * @returns The bytes; `undefined` when there are more than `bytesMax`.
 * @throws The system's error, or the signal's reason.
 */
export async function readBounded(
  path: string,
  bytesMax: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  await using file = await openToRead(path);
  return await readHandle(file, bytesMax, signal);
}

/** Like `readBounded`, for a file that `openToRead` opened. */
export async function readHandle(
  file: FileHandle,
  bytesMax: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  const isPipe = (await file.stat()).isFIFO();
  let silentMs = 0;
  for (;;) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const bytesRead = await readNow(file, chunk);
    // A pipe is at its end when nobody writes into it any more; before the first byte, nobody may do so yet.
    const isEnd = bytesRead === 0 && (!isPipe || length > 0 || silentMs >= PIPE_WAIT_MS);
    if (isEnd) return Buffer.concat(chunks);
    if (bytesRead === undefined || bytesRead === 0) {
      await sleep(PIPE_LOOK_MS, undefined, { signal });
      silentMs = bytesRead === 0 ? silentMs + PIPE_LOOK_MS : 0;
      continue;
    }
    length += bytesRead;
    if (length > bytesMax) return undefined;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

/** @returns The bytes that were read, 0 at the end; `undefined` when somebody may write more, but has not yet. */
async function readNow(file: FileHandle, into: Buffer): Promise<number | undefined> {
  try {
    return (await file.read(into, 0, into.length)).bytesRead;
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}
