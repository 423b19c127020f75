import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { SharedFileRow, SharedFileTable } from "../store/shared-files.ts";
import type { DataFolder } from "./data-folder.ts";

/** Bytes; below this a file costs more to look up than a second copy costs. */
const SHARED_BYTES_MIN = 64 * 1024;

export interface SharedFiles {
  readonly table: SharedFileTable;
  readonly files: Files;
  readonly folder: DataFolder;
  readonly log: Log;
}

/**
 * Lets files that other torrents hold already take no second place on disk: the merkle root of BEP 52 names
 * a file's content wherever it occurs. A copy is only trusted while it looks as it did when its hash was
 * taken.
 *
 * @param contentPath - Where the torrent's content lies, below the data folder.
 */
export async function shareFiles(
  info: TorrentInfo,
  contentPath: string,
  { table, files, folder, log }: SharedFiles,
): Promise<void> {
  const fresh: SharedFileRow[] = [];
  for (const file of info.files) {
    if (!file.piecesRoot || file.pad || file.length < SHARED_BYTES_MIN) continue;
    const path = `${contentPath}/${file.path.join("/")}`;
    const known = await table.find(file.piecesRoot);
    if (known && known.path !== path && (await unchanged(known))) {
      try {
        await files.replaceByLink(folder.absolute(known.path), folder.absolute(path));
        continue;
      } catch (error) {
        // Another disk, or as many links as the file system takes: two copies are no harm.
        log.debug("a file is kept twice", { path, why: String(error) });
      }
    }
    const facts = await files.stat(folder.absolute(path));
    if (facts) {
      const { size, mtimeMs } = facts;
      fresh.push({ pieces_root: file.piecesRoot, path, size, mtime_ms: mtimeMs });
    }
  }
  if (fresh.length > 0) await table.put(fresh);

  async function unchanged(row: SharedFileRow): Promise<boolean> {
    const facts = await files.stat(folder.absolute(row.path));
    return facts?.size === row.size && facts.mtimeMs === row.mtime_ms && !facts.folder;
  }
}
