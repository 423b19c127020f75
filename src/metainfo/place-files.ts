import type { Work } from "../base/work.ts";
import type { TorrentFile } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { readableText, type ListedFile } from "./read-info-fields.ts";
import type { ReadingNotes } from "./reading-notes.ts";
import { cleanComponent, literalComponent, SafeTree } from "./safe-path.ts";

/** Files that are read and placed before others may have a turn: less than a millisecond. */
const FILES_PER_STEP = 128;

/**
 * Gives the listed files of a torrent their places: offsets in its space of bytes, safe paths on disk,
 * and links that stay inside.
 *
 * @param options.rawName - The torrent's name in latin1, not empty.
 * @param options.seed - 32 bits that nobody knows before all names are chosen.
 * @param options.alignTo - Bytes; every file that is not empty starts at a multiple of it.
 * @throws {MetainfoError} When all lengths together pass 2^53-1 (MET-9).
 */
export function* placeFiles(
  listed: Iterable<ListedFile>,
  options: {
    readonly rawName: string;
    readonly folder: boolean;
    readonly alignTo: number;
    readonly seed: number;
    readonly notes: ReadingNotes;
  },
): Work<{ name: string; files: TorrentFile[] }> {
  const name = cleanComponent(options.rawName);
  const root = options.folder ? [name] : [];
  const rawRoot = options.folder ? options.rawName : undefined;
  const tree = new SafeTree(root, options.seed);
  const files: TorrentFile[] = [];
  const links = new Map<number, readonly string[]>();
  let offset = 0;
  for (const file of listed) {
    if (files.length % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    const path = file.pad ? [...root, ".pad", String(file.length)] : tree.addFile(file.path);
    if (file.link) links.set(files.length, file.link);
    if (options.alignTo > 1) offset = Math.ceil(offset / options.alignTo) * options.alignTo;
    // What most files lack takes no room in the others: there may be 200,000.
    const { length, pad, executable, hidden, piecesRoot } = file;
    const plain = { path, length, offset, pad, executable, hidden };
    const written = pad ? undefined : pathAsWritten(rawRoot, file.path, path);
    files.push(
      written === undefined && piecesRoot === undefined
        ? plain
        : {
            ...plain,
            ...(written && { pathAsWritten: written }),
            ...(piecesRoot && { piecesRoot }),
          },
    );
    offset += file.length;
    if (offset > Number.MAX_SAFE_INTEGER) {
      throw new MetainfoError("bad-file-length", "the files have more than 2^53-1 bytes together");
    }
  }
  placeLinks(links, { files, tree, notes: options.notes });
  return { name, files };
}

/** @returns `undefined` when it is `path`, or no path that may be looked at. */
function pathAsWritten(
  root: string | undefined,
  raw: readonly string[],
  path: readonly string[],
): readonly string[] | undefined {
  // Most names are plain ASCII, which cleaning leaves alone.
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
 * Resolves links inside the torrent (BEP 47). One that leads out of it, nowhere, in a circle or to a
 * folder around itself stays an empty file (MET-2).
 *
 * @param links - Targets in latin1, by the index of the file that is a link.
 */
function placeLinks(
  links: ReadonlyMap<number, readonly string[]>,
  among: {
    readonly files: TorrentFile[];
    readonly tree: SafeTree;
    readonly notes: ReadingNotes;
  },
): void {
  const { files, tree, notes } = among;
  const targets = new Map<string, string>();
  for (const [index, link] of links) {
    const target = tree.find(link);
    const path = files[index]!.path;
    // The parent folder of every link is around it, and so is everything above.
    if (target && !startsWith(path, target)) targets.set(path.join("/"), target.join("/"));
  }
  for (const [index, link] of links) {
    const file = files[index]!;
    const target = targets.get(file.path.join("/"));
    if (target !== undefined && endsSomewhere(file.path.join("/"), targets)) {
      files[index] = { ...file, linkTarget: target.split("/") };
    } else {
      notes.warn(
        `link "${file.path.join("/")}" to "${readableText(link.join("/"))}" left out: it leads ` +
          `to no file or folder of this torrent`,
      );
    }
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((element, index) => path[index] === element);
}

/** Links to links that are longer than this count as circles. */
const LINK_STEPS_MAX = 40;

function endsSomewhere(path: string, targets: ReadonlyMap<string, string>): boolean {
  let current: string | undefined = path;
  for (let step = 0; step < LINK_STEPS_MAX; step += 1) {
    current = targets.get(current);
    if (current === undefined) return true;
  }
  return false;
}
