import type { Work } from "../base/work.ts";
import { FileTable } from "./file-table.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { PADDING_FOLDER } from "./padding-names.ts";
import { readableText, type ListedFile } from "./read-info-fields.ts";
import type { ReadingNotes } from "./reading-notes.ts";
import { cleanComponent, literalComponent, SafeTree } from "./safe-path.ts";

/** Files that are read and placed before other work gets a turn: less than a millisecond. */
const FILES_PER_STEP = 128;

/**
 * Gives the listed files of a torrent their places: offsets in its space of bytes, safe paths on disk,
 * and links that stay inside.
 *
 * @param options.infoBytes - Contains the names and roots.
 * @param options.listBytes - The part of it that lists the files.
 * @param options.rawName - The torrent's name in latin1, not empty.
 * @param options.seed - 32 bits that nobody can know before all names are fixed.
 * @param options.alignTo - Bytes; every non-empty file starts at a multiple of it.
 * @throws {MetainfoError} When the sum of all lengths exceeds 2^53-1 (MET-9).
 */
export function* placeFiles(
  listed: Iterable<ListedFile>,
  options: {
    readonly infoBytes: Uint8Array;
    readonly listBytes: Uint8Array;
    readonly rawName: string;
    readonly folder: boolean;
    readonly alignTo: number;
    readonly seed: number;
    readonly notes: ReadingNotes;
  },
): Work<{ name: string; files: FileTable }> {
  const { infoBytes, listBytes, alignTo } = options;
  const name = cleanComponent(options.rawName);
  const root = options.folder ? [name] : [];
  const rawRoot = options.folder ? options.rawName : undefined;
  const tree = new SafeTree(root, { seed: options.seed, bytes: listBytes });
  const padFolder = [...root, PADDING_FOLDER];
  const files = new FileTable(listBytes, infoBytes);
  const links = new Map<number, readonly string[]>();
  // Plain names below such a root are the same on disk as in the torrent.
  const isRootPlain = rawRoot === undefined || rawRoot === name;
  let isFolderPlain = false;
  let offset = 0;
  for (const file of listed) {
    if (files.count % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (file.link) links.set(files.count, file.link);
    if (alignTo > 1) offset = Math.ceil(offset / alignTo) * alignTo;
    if (file.beside && isFolderPlain && tree.addBeside(file)) {
      const folder = tree.lastFolder;
      files.add(file, { folder, name: undefined, offset, pathAsWritten: undefined });
    } else if (file.pad) {
      const name = String(file.length);
      files.add(file, { folder: padFolder, name, offset, pathAsWritten: undefined });
    } else {
      const { path, nameAt } = file;
      const own = tree.addName(path);
      const folder = tree.lastFolder;
      const written = pathAsWritten(rawRoot, path, [...folder, own]);
      const isInList = nameAt >= 0 && own === path[path.length - 1];
      files.add(file, { folder, name: isInList ? undefined : own, offset, pathAsWritten: written });
      isFolderPlain = isRootPlain && hasPlainFolder(path, folder.slice(root.length));
    }
    offset += file.length;
    if (offset > Number.MAX_SAFE_INTEGER) {
      throw new MetainfoError("bad-file-length", "the files have more than 2^53-1 bytes together");
    }
  }
  placeLinks(links, { files, tree, notes: options.notes });
  return { name, files };
}

/** Tells whether a file's folder has the same name on disk as in the torrent. */
function hasPlainFolder(raw: readonly string[], folder: readonly string[]): boolean {
  return folder.every((name, index) => name === raw[index]);
}

/** @returns `undefined` when it equals `path`, or is not a safe path. */
function pathAsWritten(
  root: string | undefined,
  raw: readonly string[],
  path: readonly string[],
): readonly string[] | undefined {
  // Most names are plain ASCII, which cleaning does not change.
  const above = path.length - raw.length;
  let same = root === undefined || root === path[0];
  for (let index = 0; same && index < raw.length; index += 1) {
    same = raw[index] === path[above + index];
  }
  if (same) return undefined;
  const written: string[] = [];
  for (const element of root === undefined ? raw : [root, ...raw]) {
    const name = literalComponent(element);
    if (name === undefined) return undefined;
    written.push(name);
  }
  return written.every((name, index) => name === path[index]) ? undefined : written;
}

/**
 * Resolves links inside the torrent (BEP 47). A link that leads outside, nowhere, in a circle or to a folder around
 * itself stays an empty file (MET-2).
 *
 * @param links - Targets in latin1, keyed by the index of the link.
 */
function placeLinks(
  links: ReadonlyMap<number, readonly string[]>,
  among: {
    readonly files: FileTable;
    readonly tree: SafeTree;
    readonly notes: ReadingNotes;
  },
): void {
  const { files, tree, notes } = among;
  const targets = new Map<string, string>();
  for (const [index, link] of links) {
    const target = tree.find(link);
    const path = files.path(index);
    // The parent folder of a link contains it, and so does every folder above.
    if (target && !startsWith(path, target)) targets.set(path.join("/"), target.join("/"));
  }
  for (const [index, link] of links) {
    const path = files.path(index).join("/");
    const target = targets.get(path);
    if (target !== undefined && endsSomewhere(path, targets)) {
      files.setLinkTarget(index, target.split("/"));
    } else {
      notes.warn(
        `link "${path}" to "${readableText(link.join("/"))}" left out: it leads to no file or ` +
          `folder of this torrent`,
      );
    }
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((element, index) => path[index] === element);
}

/** A longer chain of links counts as a circle. */
const LINK_STEPS_MAX = 40;

function endsSomewhere(path: string, targets: ReadonlyMap<string, string>): boolean {
  let current: string | undefined = path;
  for (let step = 0; step < LINK_STEPS_MAX; step += 1) {
    current = targets.get(current);
    if (current === undefined) return true;
  }
  return false;
}
