import { FOLDER_DEPTH_MAX, type FolderSum } from "../../src/api/pages.ts";
import type { TorrentFileEntry } from "../../src/api/torrents.ts";
import { plural, visible } from "../parts/format.ts";
import { Outside, Size, State } from "../parts/words.tsx";

/** A folder with its files on this page. */
interface Folder {
  /** Below the torrent's folder; empty for that folder itself. */
  readonly path: string;
  readonly files: TorrentFileEntry[];
  readonly folders: Folder[];
}

/**
 * Files below their folders, which open and close without a script.
 *
 * @param props.files - The files of this page, in display order.
 * @param props.folders - The totals of each folder, including other pages.
 */
export function FileTree(props: {
  readonly files: readonly TorrentFileEntry[];
  readonly folders: readonly FolderSum[];
  /** With a check box called `file` beside each. */
  readonly canChoose: boolean;
}) {
  const sums = new Map(props.folders.map((sum) => [sum.path, sum]));
  return <Level folder={growTree(props.files)} sums={sums} canChoose={props.canChoose} />;
}

function Level(props: {
  readonly folder: Folder;
  readonly sums: ReadonlyMap<string, FolderSum>;
  readonly canChoose: boolean;
}) {
  const { folder, sums, canChoose } = props;
  return (
    <ul>
      {folder.files.map((file) => (
        <FileRow key={file.index} file={file} below={folder.path} canChoose={canChoose} />
      ))}
      {folder.folders.map((inner) => {
        const sum = sums.get(inner.path);
        return (
          <li key={inner.path} class="folder">
            <details open>
              <summary>
                <span class="name">
                  <Outside text={nameBelow(folder.path, inner.path)} charactersMax={80} />
                </span>
                {sum !== undefined && (
                  <span class="size">
                    {plural(sum.fileCount, "file")}, <Size bytes={sum.size} />
                  </span>
                )}
              </summary>
              <Level folder={inner} sums={sums} canChoose={canChoose} />
            </details>
          </li>
        );
      })}
    </ul>
  );
}

function FileRow(props: {
  readonly file: TorrentFileEntry;
  readonly below: string;
  readonly canChoose: boolean;
}) {
  const { file, below, canChoose } = props;
  const name = <Outside text={nameBelow(below, file.path)} charactersMax={120} />;
  return (
    <li class="file">
      {canChoose && (
        <label class="box">
          <input
            type="checkbox"
            name="file"
            value={file.index}
            disabled={!file.whole}
            aria-label={`Choose ${visible(file.path)}`}
          />
        </label>
      )}
      {file.whole ? (
        <a href={file.downloadPath} download>
          {name}
        </a>
      ) : (
        <span class="broken">
          {name} <State mood="bad">damaged here</State>
        </span>
      )}
      <Size bytes={file.size} class="size" />
    </li>
  );
}

function nameBelow(folder: string, path: string): string {
  return folder === "" ? path : path.slice(folder.length + 1);
}

/** Files of one folder are neighbours in the list, so each folder is made once. */
function growTree(files: readonly TorrentFileEntry[]): Folder {
  const root: Folder = { path: "", files: [], folders: [] };
  const byPath = new Map([["", root]]);
  for (const file of files) {
    const parts = file.path.split("/").slice(0, -1).slice(0, FOLDER_DEPTH_MAX);
    let folder = root;
    for (const [depth] of parts.entries()) {
      const path = parts.slice(0, depth + 1).join("/");
      let inner = byPath.get(path);
      if (inner === undefined) {
        inner = { path, files: [], folders: [] };
        byPath.set(path, inner);
        folder.folders.push(inner);
      }
      folder = inner;
    }
    folder.files.push(file);
  }
  return root;
}
