import type { TransferFilesView } from "../../src/api/transfers.ts";

type File = TransferFilesView["files"][number];

/** A line of the tree: a file, or a folder with the sums of what is below it. */
export interface FileRow {
  /** Below the folder of the transfer, joined by "/". */
  readonly path: string;
  readonly name: string;
  /** Folders above it. */
  readonly depth: number;
  readonly length: number;
  readonly done: number;
  /** Indexes of its files; one for a file. */
  readonly indexes: readonly number[];
  /** `null` where its files differ. */
  readonly priority: File["priority"] | null;
  readonly isFolder: boolean;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: File[];
}

/** The rows of the tree in natural order, folders first; those of a closed folder are left out. */
export function fileRows(files: readonly File[], closed: ReadonlySet<string>): FileRow[] {
  const root: Folder = { folders: new Map(), files: [] };
  for (const file of files) {
    let folder = root;
    for (const part of file.path.split("/").slice(0, -1)) {
      const below = folder.folders.get(part) ?? { folders: new Map(), files: [] };
      folder.folders.set(part, below);
      folder = below;
    }
    folder.files.push(file);
  }
  const rows: FileRow[] = [];
  addRows(root, "", 0, closed, rows);
  return rows;
}

const collator = new Intl.Collator("en", { numeric: true });

function addRows(
  { folders, files }: Folder,
  above: string,
  depth: number,
  closed: ReadonlySet<string>,
  rows: FileRow[],
): void {
  for (const [name, folder] of [...folders].toSorted(([a], [b]) => collator.compare(a, b))) {
    const path = `${above}${name}`;
    const all = filesBelow(folder);
    rows.push({ ...summed(all), path, name, depth, isFolder: true });
    if (!closed.has(path)) addRows(folder, `${path}/`, depth + 1, closed, rows);
  }
  for (const file of files.toSorted((a, b) => collator.compare(a.path, b.path))) {
    const name = file.path.slice(above.length);
    rows.push({ ...summed([file]), path: file.path, name, depth, isFolder: false });
  }
}

function filesBelow({ folders, files }: Folder): File[] {
  return [...folders.values()].flatMap(filesBelow).concat(files);
}

function summed(files: readonly File[]) {
  const [first] = files;
  return {
    length: files.reduce((sum, { length }) => sum + length, 0),
    done: files.reduce((sum, { done }) => sum + done, 0),
    indexes: files.map(({ index }) => index),
    priority: files.every(({ priority }) => priority === first!.priority) ? first!.priority : null,
  };
}
