/** A thread takes as long to start as it takes to hash about this much. */
const BYTES_PER_START = 16 * 1024 * 1024;

/** Opening a file takes as long as hashing about this much. */
const BYTES_PER_FILE = 16 * 1024;

/**
 * How many threads are worth their start and their memory to read and hash content once.
 *
 * @returns `undefined` when as many as the machine has cores for.
 */
export function hashingThreads(content: {
  readonly bytes: number;
  readonly files: number;
}): number | undefined {
  return content.bytes + content.files * BYTES_PER_FILE <= BYTES_PER_START ? 1 : undefined;
}
