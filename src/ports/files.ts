/**
 * Whole files and folders by absolute path: state, journals, .torrent files, direct downloads. The bytes of
 * torrents that peers fetch go through `content.ts`. Everything rejects with an error that carries the
 * operating system's `code` (`ENOSPC`, `EROFS`, `EACCES`...). Below the folder of a hub no link is followed, in any
 * place of a path (`ELOOP`); what is neither a plain file nor a folder is not opened (`EINVAL`).
 */
export interface Files {
  /** @returns `undefined` when the file is not there. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces the file as a whole: temporary file, write, sync, rename, sync of the folder (house rule 11). */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens a journal, creating it; what lies behind `length` is cut off. */
  openAppend(path: string, length: number): Promise<AppendFile>;
  /** @returns `undefined` when there is no plain file; a link in the last place is not followed. */
  openRead(path: string): Promise<ReadFile | undefined>;
  /** Creates the folder and those above it; harmless when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Moves a file or folder within one disk and makes that durable. The folder above `to` is created. */
  move(from: string, to: string): Promise<void>;
  /** Puts a second name of `existing` in the place of `path`, in one step. */
  replaceByLink(existing: string, path: string): Promise<void>;
  /** Removes a file or a folder with all it holds; harmless when it is gone. */
  remove(path: string): Promise<void>;
  /** Names in a folder; empty when it is not there. @throws `ELOOP` (rejects) when it is a link. */
  list(path: string): Promise<readonly string[]>;
  /** @returns `undefined` when nothing is there, or a link is on the way. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** Bytes that may still be written to the disk that holds `path`; infinite when it does not tell. */
  freeBytes(path: string): Promise<number>;
}

export interface FileFacts {
  readonly folder: boolean;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Of the last change of any kind: the system sets it, and no program can. */
  readonly ctimeMs: number;
}

export interface AppendFile {
  /** Resolves when the bytes are durable. */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface ReadFile {
  /** Bytes when it was opened. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Fills `into` from `position`; @returns the bytes read, fewer at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}
