import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCode } from "../base/system-code.ts";

const CHUNK_BYTES = 64 * 1024;
/** The time between two reads of an empty pipe. */
const PIPE_LOOK_MS = 25;
/** How long to wait for a writer to open a pipe. */
const PIPE_WAIT_MS = 5_000;

/**
 * Opens a path that a person named for reading. It never blocks in a system call for the other end
 * of a pipe: such a call cannot be cancelled, and it keeps the process from exiting (CLI-15).
 *
 * @throws The system's error.
 */
export async function openToRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/**
 * Reads a file, a pipe or a device up to a limit: only a regular file has a size, and the others
 * may never end.
 *
 * @param file - Opened by `openToRead`.
 * @param signal - Ends the wait for a pipe.
 * @returns The bytes; `undefined` when there are more than `bytesMax`.
 * @throws The system's error, or the signal's reason.
 */
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
    // A pipe ends when it has no writer any more; before the first byte it may not have one yet.
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

/** @returns The bytes read, 0 at the end; `undefined` when a writer may still send more. */
async function readNow(file: FileHandle, into: Buffer): Promise<number | undefined> {
  try {
    return (await file.read(into, 0, into.length)).bytesRead;
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}
