import type { Files } from "./files.ts";

/** What a path leads to. */
export interface PathFacts {
  readonly kind: "file" | "folder" | "link" | "special";
  /** Bytes. */
  readonly size: number;
  /** Bytes that it takes on the disk: fewer than `size` for a file with holes. */
  readonly occupiedBytes: number;
  readonly mtimeMs: number;
  /** Of the last change of any kind: the system sets it, and no program can. */
  readonly ctimeMs: number;
  readonly inode: number;
  /** It belongs to the user who runs this. */
  readonly own: boolean;
}

/** What was read of something that a person named. */
export interface NamedContent {
  /** `stream`: a pipe or a device, which does not say how much will come. */
  readonly kind: "file" | "folder" | "stream";
  /** Bytes of a file. */
  readonly size: number;
  /** Others on this machine may read it. */
  readonly openToOthers: boolean;
  /**
   * Those of a file are in shared memory, where the disk's workers find them without a copy. `undefined` for a folder,
   * and when there are more than were asked for.
   */
  readonly bytes: Uint8Array | undefined;
}

/** A plain file that can be read. */
export interface ListedFile {
  /** Names below the root; of a single file the name it has where it lies, behind links. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/**
 * Something that cannot be part of a torrent, and why (MET-24); `leftover`: of a run that was killed (STO-14). A name
 * that is not UTF-8 is in `path` with U+FFFD in the place of what could not be read. `sealed`: a folder with the mark that
 * keeps it out.
 */
export interface SkippedEntry {
  readonly path: readonly string[];
  readonly why: "link" | "special" | "made-up" | "unreadable" | "bad-name" | "leftover" | "sealed";
}

export interface FileListing {
  /** Of the file or folder listed. */
  readonly name: string;
  readonly folder: boolean;
  /** Absolute; what paths are below of. */
  readonly root: string;
  /** By their names, in the order of their UTF-8 bytes: the same for the same content. */
  readonly files: readonly ListedFile[];
  readonly skipped: readonly SkippedEntry[];
}

/** A file for one secret, made before the secret is: then it cannot get lost for want of a place. */
export interface SecretPlace {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Files as the person who runs a command has them: by the paths they name, relative ones too, and through their links.
 * Everything throws or rejects with an error that carries the operating system's `code`. Looks answer at once: they are
 * asked by the hundred thousand.
 */
export interface UserFiles {
  /** The absolute path, without `.` and `..`; a relative one begins in the working folder. */
  absolute(path: string): string;
  /** The absolute path through no link. */
  real(path: string): string;
  /** @returns What is there, behind links; `undefined` when nothing is. */
  look(path: string): PathFacts | undefined;
  /** Like `look`, of a link itself. */
  lookAtEntry(path: string): PathFacts | undefined;
  /** True for what can be seen; never throws. */
  exists(path: string): boolean;
  /** Opens a file to read it, and closes it again. */
  tryToRead(path: string): void;
  /** @throws (rejects) unless files can be made in this folder, by mode, mount and disk. */
  tryToWriteIn(folder: string): Promise<void>;
  /** Bytes that may still be written to the disk that holds `path`, which is there; infinite when it does not tell. */
  freeBytes(path: string): number;
  matchesGlob(path: string, pattern: string): boolean;
  /**
   * Reads a file, a pipe or a device up to a limit. No call waits in the system for whoever is at the other end of a
   * pipe (CLI-15).
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
   * Lists a file, or all that a folder holds. The path itself may be a link; below it none is followed.
   *
   * @param options.seal - A folder below the path that holds a file of this name is left out with all it holds.
   */
  list(
    path: string,
    options: { readonly signal?: AbortSignal | undefined; readonly seal?: string | undefined },
  ): Promise<FileListing>;
  /** Replaces a file, whole or not at all (house rule 11), with the rights that the person's umask gives. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Moves a file within a disk, at once. */
  rename(from: string, to: string): void;
  /** Creates the folder and those above it; harmless when it is there. */
  makeFolders(path: string): Promise<void>;
  /** Removes what a kill left of files in the making. @param beforeMs - Wall milliseconds. */
  removeLeftovers(folder: string, beforeMs: number): Promise<void>;
  /** Makes a file for its owner only. @throws (rejects) `EEXIST` when it is there. */
  createSecret(path: string): Promise<SecretPlace>;
  /** Files by absolute path. @param root - Below it no link is followed, in no place of a path; anywhere when absent. */
  below(root?: string): FolderFiles;
}

/** Files below one folder. */
export interface FolderFiles extends Pick<
  Files,
  "read" | "write" | "remove" | "makeFolder" | "stat" | "openRead"
> {
  /** Lets folders go that are open for the next call. */
  close(): void;
}
