import type { DiskFailure } from "../../ports/content.ts";

const WORDS: ReadonlyMap<string, (path: string) => string> = new Map([
  ["ENOSPC", (path) => `the disk that holds ${path} is full`],
  ["EDQUOT", (path) => `the quota of the disk that holds ${path} is used up`],
  ["EROFS", (path) => `the disk that holds ${path} is read-only`],
  ["EACCES", (path) => `access to ${path} is not permitted`],
  ["EPERM", (path) => `access to ${path} is not permitted`],
  ["ENOENT", (path) => `${path} is not there`],
  ["ENODEV", (path) => `${path} is on another disk than before`],
  ["ENOTDIR", (path) => `a part of ${path} is a file where a folder should be`],
  ["EEXIST", (path) => `${path} is there already, and was not made by this download`],
  ["EISDIR", (path) => `${path} is a folder where a file should be`],
  ["ELOOP", (path) => `a symbolic link stands in the way of ${path}`],
  ["EIO", (path) => `the disk failed at ${path}`],
  ["EFBIG", (path) => `${path} is larger than its file system allows`],
  ["EMFILE", (path) => `too many files are open to open ${path}`],
  ["ENFILE", (path) => `too many files are open on this machine to open ${path}`],
  ["ENAMETOOLONG", (path) => `the name ${path} is too long for its file system`],
  ["EOF", (path) => `${path} is shorter than it should be`],
  ["EBADF", (path) => `the content at ${path} is closed`],
  ["changed", (path) => `${path} changed while it was read`],
]);

/** The disk refused. The workers throw it; outside them it is a value. */
export class DiskRefusal extends Error {
  readonly failure: DiskFailure;

  constructor(failure: DiskFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * @param code - The operating system's code, `EOF` for a file that ends too early, or `changed`.
 */
export function diskFailure(code: string, path: string): DiskFailure {
  const words = WORDS.get(code);
  return { kind: "failure", code, path, message: words ? words(path) : `${code} at ${path}` };
}

export function refusal(code: string, path: string): DiskRefusal {
  return new DiskRefusal(diskFailure(code, path));
}

/**
 * Runs one or more calls of the operating system on `path`.
 *
 * @throws {DiskRefusal} When one of them fails; errors of our own pass through.
 */
export function onDisk<Result>(path: string, calls: () => Result): Result {
  try {
    return calls();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw refusal(code, path);
  }
}

/** @returns The operating system's code of an error; `undefined` for an error of ours. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Like `systemCode`, and also reads the code of a `DiskRefusal`. */
export function failureCode(error: unknown): string | undefined {
  return error instanceof DiskRefusal ? error.failure.code : systemCode(error);
}
