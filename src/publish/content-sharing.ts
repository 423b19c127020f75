import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { FileCopyTable } from "../store/file-copies.ts";
import type { SettingsTable } from "../store/settings.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import { areEqualFiles, sampleFile } from "./equal-files.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

/** Bytes; a smaller file costs more to look up than a second copy costs. */
const SHARED_BYTES_MIN = 64 * 1024;
/** Files with the same look that are compared with a new one; the bound keeps a crowd of them cheap. */
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
 * Stores equal files of different torrents once on the disk: the same content as another kind, or a release that kept
 * most files of the one before. It follows the catalogue in the order of publication, after a torrent is public, so
 * that nobody waits for it; its progress is stored.
 *
 * Files are compared byte by byte before one replaces the other. So a damaged copy never replaces an intact one, and
 * v1 torrents, which have no hashes of files, take part too.
 */
export class ContentSharing {
  readonly #options: ContentSharingOptions;
  #running = false;
  /** True when there may be torrents to compare. */
  #wanted = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ContentSharingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.handlePublished();
  }

  /** Waits for the current file. The rest is done after the next start. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  /** A torrent was published. Returns at once. */
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

  /** Resolves when everything published before this call was compared. */
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
    // Files in somebody else's folder are never replaced.
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
      // Another disk, or the file system's limit of links: two copies do no harm.
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
