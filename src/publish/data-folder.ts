import type { Files } from "../ports/files.ts";

/**
 * The places of publishing below the data folder. Stored paths are relative to it, so that the folder can be moved.
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

  /** Everything of one torrent that is fetched from its swarm. */
  fetch(id: string): string {
    return `${this.root}/fetches/${id}`;
  }

  /** The files of a fetch while they arrive. */
  fetchContent(id: string): string {
    return `${this.fetch(id)}/files`;
  }

  /** The .torrent file that a fetch began with. */
  fetchSource(id: string): string {
    return `${this.fetch(id)}/source.torrent`;
  }

  /** How far a fetch got. */
  fetchResume(id: string): string {
    return `${this.fetch(id)}/resume`;
  }

  /** The folder of a torrent's content: ours, or its owner's. */
  contentRoot(row: {
    readonly content_path: string;
    readonly content_root: string | null;
  }): string {
    return row.content_root ?? this.absolute(row.content_path);
  }

  /** The hashes of a draft's pieces. */
  draftJournal(id: string): string {
    return `${this.draft(id)}/hashes`;
  }

  /** @returns Relative. Two levels, because file systems slow down with a million entries in one folder. */
  contentPath(infohashKey: string): string {
    return `content/${infohashKey.slice(0, 2)}/${infohashKey}`;
  }

  /** Tells whether `contentPath` made this stored path: the hub may rearrange only what is there. */
  isOwnContent(path: string): boolean {
    return path.startsWith("content/");
  }

  /**
   * The folders in which the hub replaces whole files, such as .torrent files and keys. Content lies elsewhere.
   *
   * @returns Those that are there, absolute.
   */
  async stateFolders(files: Pick<Files, "list" | "stat">): Promise<string[]> {
    const torrents = this.absolute("torrents");
    const names = await files.list(torrents);
    const folders = [
      this.root,
      this.absolute("keys"),
      ...names.map((name) => `${torrents}/${name}`),
    ];
    const found = await Promise.all(
      folders.map(async (folder) => ((await files.stat(folder))?.folder ? [folder] : [])),
    );
    return found.flat();
  }

  /** @returns Relative. */
  metainfoPath(infohashKey: string): string {
    return `torrents/${infohashKey.slice(0, 2)}/${infohashKey}.torrent`;
  }
}
