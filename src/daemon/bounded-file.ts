import { type FileHandle, open } from "node:fs/promises";

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads a file, a pipe or a device up to a limit: what is no regular file says nothing of its size, and may have no end.
 *
 * @returns The bytes; `undefined` when there are more than `bytesMax`.
 * @throws The system's error.
 */
export async function readBounded(path: string, bytesMax: number): Promise<Buffer | undefined> {
  await using file = await open(path, "r");
  return await readHandle(file, bytesMax);
}

/** Like `readBounded`, for a file that is open. */
export async function readHandle(file: FileHandle, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
    if (bytesRead === 0) return Buffer.concat(chunks);
    length += bytesRead;
    if (length > bytesMax) return undefined;
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
