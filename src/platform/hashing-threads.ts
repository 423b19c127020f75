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

/**
 * A thread of its own takes as much CPU until its code is compiled as hashing and writing about this many bytes, and 9 MiB.
 * One thread stores them in a fifth of a second: few lines are faster.
 */
const EXCHANGED_BY_ONE = 128 * 1024 * 1024;

/** The same for content that is exchanged with peers. */
export function exchangeThreads(content: {
  readonly bytes: number;
  readonly files: number;
}): number | undefined {
  return content.bytes + content.files * BYTES_PER_FILE <= EXCHANGED_BY_ONE ? 1 : undefined;
}
