/**
 * Where publishing keeps things below the data folder. Paths that are stored are relative to it, so that
 * the folder can move.
 */
export class DataFolder {
  readonly root: string;

  /** @param root - Absolute. */
  constructor(root: string) {
    this.root = root;
  }

  /** The absolute form of a stored path. */
  absolute(path: string): string {
    return `${this.root}/${path}`;
  }

  /** Everything of one unfinished draft. */
  draft(id: string): string {
    return `${this.root}/uploads/${id}`;
  }

  /** The files of a draft while they arrive. */
  draftContent(id: string): string {
    return `${this.draft(id)}/files`;
  }

  /** The hashes of a draft's pieces. */
  draftJournal(id: string): string {
    return `${this.draft(id)}/hashes`;
  }

  /** @returns Relative. Two levels, because file systems slow down with a million entries in one folder. */
  contentPath(infohashKey: string): string {
    return `content/${infohashKey.slice(0, 2)}/${infohashKey}`;
  }

  /** Whether a stored path is one that `contentPath` made: what lies there is the hub's to arrange. */
  isOwnContent(path: string): boolean {
    return path.startsWith("content/");
  }

  /** @returns Relative. */
  metainfoPath(infohashKey: string): string {
    return `torrents/${infohashKey.slice(0, 2)}/${infohashKey}.torrent`;
  }
}
