/**
 * Whole files and folders by absolute path: state, journals, .torrent files, direct downloads. The
 * bytes that peers fetch go through `content.ts`. Everything rejects with an error that carries the
 * operating system's `code` (`ENOSPC`, `EROFS`, `EACCES`...). Below a hub's folder no link is
 * followed in any component of a path (`ELOOP`), and only plain files and folders are opened
 * (`EINVAL`).
 */
export interface Files {
  /** @returns `undefined` when the file is absent. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Replaces a whole file: temporary file, write, sync, rename, sync of the folder (house rule 11).
   */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens a journal, or creates it; truncates it to `length`. */
  openAppend(path: string, length: number): Promise<AppendFile>;
  /**
   * @returns `undefined` when there is no plain file; a link in the last component is not followed.
   */
  openRead(path: string): Promise<ReadFile | undefined>;
  /** Creates the folder and its missing parents; does nothing when it exists. */
  makeFolder(path: string): Promise<void>;
  /**
   * Moves a file or folder within one disk and makes the move durable. Creates the folder above
   * `to`.
   */
  move(from: string, to: string): Promise<void>;
  /**
   * Copies a plain file over `to`, which shares the blocks where the disk can do that. Creates the folder above `to`.
   */
  copy(from: string, to: string): Promise<void>;
  /** Puts a second name of `existing` at `path`, in one step. */
  replaceByLink(existing: string, path: string): Promise<void>;
  /** Removes a file, or a folder with its content; does nothing when it is absent. */
  remove(path: string): Promise<void>;
  /** Names in a folder; empty when it is absent. @throws `ELOOP` (rejects) when it is a link. */
  list(path: string): Promise<readonly string[]>;
  /** @returns `undefined` when nothing is there, or when a link is on the way. */
  stat(path: string): Promise<FileFacts | undefined>;
  /**
   * Bytes that may still be written to the disk that holds `path`; infinite when the disk does not
   * report it.
   */
  freeBytes(path: string): Promise<number>;
}

export interface FileFacts {
  readonly folder: boolean;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Time of the last change of any kind: the system sets it, and no program can. */
  readonly ctimeMs: number;
}

export interface AppendFile {
  /** Resolves when the bytes are durable. */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface ReadFile {
  /** Size in bytes when it was opened. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Fills `into` from `position`; @returns the bytes read, fewer at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}
