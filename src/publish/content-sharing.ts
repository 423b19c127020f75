import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { FileCopyTable } from "../store/file-copies.ts";
import type { SettingsTable } from "../store/settings.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { areEqualFiles, sampleFile } from "./equal-files.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** Bytes; below this a file costs more to look up than a second copy costs. */
const SHARED_BYTES_MIN = 64 * 1024;
/** Files of one look that are compared with a new one, so that a crowd of them costs no more than a few. */
const CANDIDATES_MAX = 8;

export interface ContentSharingOptions {
  readonly torrents: Pick<TorrentTable, "after">;
  readonly copies: FileCopyTable;
  readonly settings: SettingsTable;
  readonly library: TorrentLibrary;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly log: Log;
}

/**
 * Gives equal files of different torrents one place on disk: the same content in another kind, a release that
 * kept most files of the one before. It follows the catalogue in the order of publishing, after a torrent is
 * public, so that nobody waits for it; how far it came is remembered.
 *
 * Files are compared byte by byte before one takes the place of the other. A copy that the disk has damaged is
 * therefore never handed on, and a v1 torrent, which says no hash of a file, takes part like the others.
 */
export class ContentSharing {
  readonly #options: ContentSharingOptions;
  #running = false;
  /** There may be torrents that were not looked at. */
  #wanted = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ContentSharingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.handlePublished();
  }

  /** Waits for the file in hand. What is left is done after the next start. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  /** There is a torrent more. Returns at once. */
  handlePublished(): void {
    if (!this.#running || this.#wanted) return;
    this.#wanted = true;
    this.#work = this.#work.then(async () => {
      this.#wanted = false;
      try {
        await this.#catchUp();
      } catch (error) {
        // The next publication, or the next start, tries again from there.
        this.#options.log.warn("equal files keep two places for now", { why: String(error) });
      }
    });
  }

  /** Resolves when everything published before this call was looked at. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #catchUp(): Promise<void> {
    const { torrents, settings } = this.#options;
    let seq = (await settings.get("shared-seq")) ?? 0;
    for (;;) {
      const row = await torrents.after(seq);
      if (!row) return;
      await this.#share(row);
      if (!this.#running) return;
      seq = row.seq;
      await settings.set("shared-seq", seq);
    }
  }

  async #share(row: TorrentRow): Promise<void> {
    const { library, folder } = this.#options;
    // Files of somebody else's folder are never replaced.
    if (row.content_root !== null || !folder.isOwnContent(row.content_path)) return;
    const metainfo = await library.load(row);
    for (const file of metainfo?.info.files ?? []) {
      if (file.pad || file.linkTarget || file.length < SHARED_BYTES_MIN) continue;
      if (!this.#running) return;
      await this.#shareFile(`${row.content_path}/${file.path.join("/")}`, file.length);
    }
  }

  async #shareFile(path: string, size: number): Promise<void> {
    const { copies, folder, files, log } = this.#options;
    try {
      const sample = await sampleFile(files, folder.absolute(path), size);
      if (!sample) return;
      const known = await this.#findEqual(path, { size, sample });
      if (known) await files.replaceByLink(folder.absolute(known), folder.absolute(path));
      await copies.put({ path, size, sample });
    } catch (error) {
      // Another disk, or as many links as the file system takes: two copies are no harm.
      log.debug("a file is kept twice", { path, why: String(error) });
    }
  }

  async #findEqual(
    path: string,
    looks: { readonly size: number; readonly sample: Uint8Array },
  ): Promise<string | undefined> {
    const { copies, folder, files } = this.#options;
    for (const known of await copies.alike(looks, CANDIDATES_MAX)) {
      if (known === path) continue;
      const facts = await files.stat(folder.absolute(known));
      if (facts?.size !== looks.size || facts.folder) {
        await copies.delete([known]);
        continue;
      }
      const pair = [folder.absolute(known), folder.absolute(path)] as const;
      if (await areEqualFiles(files, pair, () => this.#running)) return known;
    }
    return undefined;
  }
}
