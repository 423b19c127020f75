/** A plain file in a folder where people drop files. */
export interface DroppedFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * A folder where people drop files for a program. Everything rejects with an error that carries the operating system's
 * `code`. Links, pipes and folders in it are left out: only plain files are ever opened.
 */
export interface DropFolder {
  /** The plain files whose names `takes` accepts, `filesMax` at most. */
  list(takes: (name: string) => boolean, filesMax: number): Promise<readonly DroppedFile[]>;
  /** @returns `undefined` when it is no plain file any more, or longer than `bytesMax`. */
  read(name: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** Gives a file the name `NAME.ENDING`, or a like one that is free. */
  setAside(name: string, ending: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Stops telling of changes. */
  close(): void;
}

export interface DropFolders {
  /**
   * @param folder - Absolute; it need not exist.
   * @param onChange - Something in it has changed. Not every change is told: network disks tell none.
   */
  open(folder: string, onChange: () => void): DropFolder;
}
