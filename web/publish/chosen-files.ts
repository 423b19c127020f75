import type { DraftInput } from "../../src/api/drafts.ts";
import type { KeptHandle } from "./kept-handles.ts";

/** The files that a person chose or dropped, as they will be published. */
export interface Chosen {
  /** Name of the file or folder; loose files get a made-up name. */
  readonly name: string;
  /** Loose files have no folder yet: the title also becomes the folder's name. */
  readonly loose: boolean;
  /** False: the torrent is one file. */
  readonly folder: boolean;
  readonly files: readonly ChosenFile[];
  /** Bytes of all files. */
  readonly size: number;
  /** Paths that the browser could not read; they are left out. */
  readonly unreadable: readonly string[];
}

export interface ChosenFile {
  /** Below the torrent's folder, parts joined by "/". */
  readonly path: string;
  readonly file: File;
}

/**
 * The result of a file picker: loose files, or one folder with its contents. It takes time for many files, because a
 * browser looks up the size of each on first use, about 0.2 ms a file.
 *
 * @param onCount - Called from time to time with the number of files read so far.
 */
export async function fromPicker(
  picked: Iterable<File>,
  onCount: (count: number) => void,
): Promise<Chosen> {
  const files = [...picked];
  await lookAtSizes(files, onCount);
  const root = files[0]?.webkitRelativePath.split("/", 1)[0] ?? "";
  if (root === "")
    return looseFiles(
      files.map((file) => ({ path: file.name, file })),
      [],
    );
  const below = files.map((file) => ({
    path: file.webkitRelativePath.slice(root.length + 1),
    file,
  }));
  return chosen(root, true, below, []);
}

/** A page that is blocked for longer than this feels stuck. */
const stretchMs = 12;

async function lookAtSizes(
  files: readonly File[],
  onCount: (count: number) => void,
): Promise<void> {
  let restedAtMs = performance.now();
  for (const [index, file] of files.entries()) {
    // Read for its side effect: the browser knows the size from now on.
    void file.size;
    if (performance.now() - restedAtMs < stretchMs) continue;
    onCount(index + 1);
    await new Promise((resolve) => setTimeout(resolve));
    restedAtMs = performance.now();
  }
}

/**
 * The dropped files. Folders are walked. Call it inside the drop event, because the list is empty afterwards.
 *
 * @param filesMax - Reading stops above this number; the files found until then are returned.
 * @param onCount - Called from time to time with the number of files found so far.
 */
export function fromDrop(
  transfer: DataTransfer,
  filesMax: number,
  onCount: (count: number) => void,
): Promise<Chosen> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return walkDropped(entries, filesMax, onCount);
}

/** Files and folders by their handles, which may be from an earlier visit. */
export async function fromHandles(
  handles: readonly KeptHandle[],
  filesMax: number,
  onCount: (count: number) => void,
): Promise<Chosen> {
  const walk: Walk = { files: [], unreadable: [], filesMax, onCount };
  const only = handles.length === 1 ? handles[0] : undefined;
  if (only?.kind === "directory") {
    await readFolderHandle(walk, only, "");
    return chosen(only.name, true, walk.files, walk.unreadable);
  }
  for (const handle of handles) await readHandle(walk, handle, "");
  return looseFiles(walk.files, walk.unreadable);
}

/** The walk itself, apart from the event: entries at the top, in the order dropped. */
export async function walkDropped(
  entries: readonly FileSystemEntry[],
  filesMax: number,
  onCount: (count: number) => void,
): Promise<Chosen> {
  const walk: Walk = { files: [], unreadable: [], filesMax, onCount };
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only !== undefined && isDirectory(only)) {
    await readFolder(walk, only, "");
    return chosen(only.name, true, walk.files, walk.unreadable);
  }
  for (const entry of entries) await readEntry(walk, entry, "");
  return looseFiles(walk.files, walk.unreadable);
}

interface Walk {
  readonly files: ChosenFile[];
  readonly unreadable: string[];
  readonly filesMax: number;
  readonly onCount: (count: number) => void;
}

async function readEntry(walk: Walk, entry: FileSystemEntry, below: string): Promise<void> {
  if (walk.files.length > walk.filesMax) return;
  const path = below + entry.name;
  if (isDirectory(entry)) return readFolder(walk, entry, `${path}/`);
  try {
    walk.files.push({ path, file: await openFile(entry as FileSystemFileEntry) });
    if (walk.files.length % 500 === 0) walk.onCount(walk.files.length);
  } catch {
    // No permission, or it vanished after the listing: the person sees it in the list.
    walk.unreadable.push(path);
  }
}

async function readFolder(walk: Walk, folder: FileSystemDirectoryEntry, below: string) {
  const reader = folder.createReader();
  try {
    // Browsers give at most 100 entries a time; an empty batch is the end.
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (batch.length === 0 || walk.files.length > walk.filesMax) return;
      // The order does not matter here: the hub puts files in the torrent's order.
      await Promise.all(batch.map((entry) => readEntry(walk, entry, below)));
    }
  } catch {
    walk.unreadable.push(below === "" ? folder.name : below);
  }
}

async function readHandle(walk: Walk, handle: FileSystemHandle, below: string): Promise<void> {
  if (walk.files.length > walk.filesMax) return;
  const path = below + handle.name;
  if (handle.kind === "directory") {
    return readFolderHandle(walk, handle as FileSystemDirectoryHandle, `${path}/`);
  }
  try {
    walk.files.push({ path, file: await (handle as FileSystemFileHandle).getFile() });
    if (walk.files.length % 500 === 0) walk.onCount(walk.files.length);
  } catch {
    walk.unreadable.push(path);
  }
}

/** Handles of a folder whose files are opened at the same time. */
const handlesAtOnce = 100;

async function readFolderHandle(walk: Walk, folder: FileSystemDirectoryHandle, below: string) {
  try {
    let batch: Promise<void>[] = [];
    for await (const handle of folder.values()) {
      if (walk.files.length > walk.filesMax) break;
      batch.push(readHandle(walk, handle, below));
      if (batch.length < handlesAtOnce) continue;
      await Promise.all(batch);
      batch = [];
    }
    await Promise.all(batch);
  } catch {
    walk.unreadable.push(below === "" ? folder.name : below);
  }
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function openFile(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function looseFiles(files: readonly ChosenFile[], unreadable: readonly string[]): Chosen {
  const [first] = files;
  if (first !== undefined && files.length === 1 && !first.path.includes("/")) {
    return chosen(first.file.name, false, files, unreadable);
  }
  const name = inventName(files.map((file) => file.path));
  return { ...chosen(name, true, files, unreadable), loose: true };
}

function chosen(
  name: string,
  folder: boolean,
  files: readonly ChosenFile[],
  unreadable: readonly string[],
): Chosen {
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  // The hub finds an unfinished upload by the same declaration, so the same files must come in the same order,
  // however this browser lists folders.
  const sorted = files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  return { name, loose: false, folder, files: sorted, size, unreadable };
}

/** A title names the publication, never a file or folder that has a name. */
export function named(chosen: Chosen, title: string): Pick<DraftInput, "name" | "title"> {
  if (chosen.loose) return { name: title };
  return { name: chosen.name, ...(title !== chosen.name && { title }) };
}

const commonCharactersMin = 4;

/** @returns The common start of the loose files' names, or the first name and a count. */
export function inventName(paths: readonly string[]): string {
  const tops = [...new Set(paths.map((path) => path.split("/", 1)[0] ?? path))];
  const [first = "Files"] = tops;
  const stem = first.replace(/\.[^.]{1,8}$/, "");
  if (tops.length === 1) return stem;
  let length = 0;
  while (length < stem.length && tops.every((top) => top[length] === stem[length])) length += 1;
  // A prefix that ends inside a number or with a dash reads better without that end.
  const common = stem.slice(0, length).replace(/[\s\d._()[\]-]+$/u, "");
  if (common.length >= commonCharactersMin) return common;
  return `${stem} and ${tops.length - 1} more`;
}
