import type { Files } from "./files.ts";

/** The entry that a path leads to. */
export interface PathFacts {
  readonly kind: "file" | "folder" | "link" | "special";
  /** Bytes. */
  readonly size: number;
  /** Bytes allocated on disk: fewer than `size` for a file with holes. */
  readonly occupiedBytes: number;
  readonly mtimeMs: number;
  /** Time of the last change of any kind: the system sets it, and no program can. */
  readonly ctimeMs: number;
  readonly inode: number;
  /** True when it belongs to the user who runs this program. */
  readonly own: boolean;
}

/** The result of reading something that a user named. */
export interface NamedContent {
  /** `stream`: a pipe or a device, whose length is unknown. */
  readonly kind: "file" | "folder" | "stream";
  /** Bytes of a file. */
  readonly size: number;
  /** True when other users of this machine may read it. */
  readonly openToOthers: boolean;
  /**
   * The bytes of a file are in shared memory, where the disk's workers read them without a copy.
   * `undefined` for a folder, and when there are more bytes than the limit.
   */
  readonly bytes: Uint8Array | undefined;
}

/** A readable plain file. */
export interface ListedFile {
  /** The path below the root; for a single file its real name, behind links. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/**
 * An entry that cannot be part of a torrent, and why (MET-24). `leftover`: left by a killed run
 * (STO-14). A name that is not UTF-8 appears in `path` with U+FFFD for the unreadable bytes.
 * `sealed`: a folder with the mark that keeps it out.
 */
export interface SkippedEntry {
  readonly path: readonly string[];
  readonly why: "link" | "special" | "made-up" | "unreadable" | "bad-name" | "leftover" | "sealed";
}

export interface FileListing {
  /** Of the file or folder listed. */
  readonly name: string;
  readonly folder: boolean;
  /** Absolute; paths are relative to it. */
  readonly root: string;
  /** Sorted by the UTF-8 bytes of their names: the same order for the same content. */
  readonly files: readonly ListedFile[];
  readonly skipped: readonly SkippedEntry[];
}

/**
 * A file for one secret, created before the secret is, so that the secret cannot be lost for want
 * of a place.
 */
export interface SecretPlace {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Files as the user of a command sees them: by the paths they name, relative ones too, and through
 * their links. Everything throws or rejects with an error that carries the operating system's
 * `code`. `look` is synchronous, because it runs hundreds of thousands of times.
 */
export interface UserFiles {
  /** The absolute path, without `.` and `..`; a relative path starts in the working directory. */
  absolute(path: string): string;
  /** The absolute path with all links resolved. */
  real(path: string): string;
  /** @returns The entry behind links; `undefined` when nothing is there. */
  look(path: string): PathFacts | undefined;
  /** Like `look`, for a link itself. */
  lookAtEntry(path: string): PathFacts | undefined;
  /** True when the path exists and is visible; never throws. */
  exists(path: string): boolean;
  /** Opens a file for reading and closes it again, to check that it is readable. */
  tryToRead(path: string): void;
  /** @throws (rejects) unless mode, mount and disk allow creating files in this folder. */
  tryToWriteIn(folder: string): Promise<void>;
  /**
   * Bytes that may still be written to the disk that holds the existing `path`; infinite when the
   * disk does not report it.
   */
  freeBytes(path: string): number;
  matchesGlob(path: string, pattern: string): boolean;
  /**
   * Reads a file, a pipe or a device up to a limit. It never blocks in a system call for the other
   * end of a pipe (CLI-15).
   *
   * @param limits.signal - Ends the wait for a pipe; its reason is thrown.
   */
  read(
    path: string,
    limits: {
      readonly fileBytesMax: number;
      readonly streamBytesMax: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<NamedContent>;
  /**
   * Lists a file, or everything in a folder. The path itself may be a link; below it no link is
   * followed.
   *
   * @param options.seal - A folder below the path that holds a file of this name is left out with
   * its content.
   */
  list(
    path: string,
    options: { readonly signal?: AbortSignal | undefined; readonly seal?: string | undefined },
  ): Promise<FileListing>;
  /**
   * Replaces a whole file, or leaves the old one (house rule 11), with the rights of the user's
   * umask.
   */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Moves a file within a disk in one step. */
  rename(from: string, to: string): void;
  /** Creates the folder and its missing parents; does nothing when it exists. */
  makeFolders(path: string): Promise<void>;
  /** Removes half-written files that a kill left. @param beforeMs - Wall milliseconds. */
  removeLeftovers(folder: string, beforeMs: number): Promise<void>;
  /** Creates a file for its owner only. @throws (rejects) `EEXIST` when it exists. */
  createSecret(path: string): Promise<SecretPlace>;
  /**
   * Files by absolute path. @param root - No link below it is followed in any component of a path;
   * without it, links in the last component are refused.
   */
  below(root?: string): FolderFiles;
}

/** How a file got the bytes of another: sharing its blocks, as a second name of it, or as a copy. */
export type Duplication = "shared" | "linked" | "copied";

export interface DuplicateOptions {
  /** Bytes that the file must have. */
  readonly length: number;
  /** A second name of the same file will do: whoever writes into one then changes the other. */
  readonly mayLink: boolean;
  /** Absolute path of a file in the folder of the new one, in which it is prepared. */
  readonly partial: string;
  /** Ends a copy after the present slice; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Bytes copied since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/** Files below one folder. */
export interface FolderFiles extends Pick<
  Files,
  | "read"
  | "write"
  | "remove"
  | "makeFolder"
  | "stat"
  | "openRead"
  | "list"
  | "move"
  | "copy"
  | "replaceByLink"
> {
  /**
   * Gives a new file the bytes of a plain file that is there: by sharing blocks, by a second name where that will do, or
   * by a copy in slices, whichever the disks allow first. The new name appears when all of it is durable.
   *
   * @throws (rejects) `EEXIST` when the name is taken; `ESTALE` when the file has another length or changes meanwhile;
   *   `ENOSPC`, with the `missingBytes` where they are known.
   */
  duplicate(from: string, to: string, options: DuplicateOptions): Promise<Duplication>;
  /** Closes the folders that are kept open for the next call. */
  close(): void;
}
