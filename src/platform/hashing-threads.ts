/** Starting a thread takes as long as hashing about this many bytes. */
const BYTES_PER_START = 16 * 1024 * 1024;

/** Opening a file takes as long as hashing about this many bytes. */
const BYTES_PER_FILE = 16 * 1024;

/**
 * Decides how many threads are worth their start and memory for one pass of reading and hashing.
 *
 * @returns `undefined` for one thread a core.
 */
export function hashingThreads(content: {
  readonly bytes: number;
  readonly files: number;
}): number | undefined {
  return content.bytes + content.files * BYTES_PER_FILE <= BYTES_PER_START ? 1 : undefined;
}
