import { decodeUtf8, decodeUtf8Strict, encodeUtf8, fromLatin1 } from "../base/bytes.ts";
import { withoutEndZeros } from "./end-zeros.ts";
import { NameTable, type PlainName } from "./name-table.ts";

/** The longest file name that every file system of today accepts. */
export const COMPONENT_BYTES_MAX = 255;

/** The part of a name that is read before it is cut; normalising longer names could cost quadratic time. */
const RAW_COMPONENT_BYTES_MAX = 1024;

/** Room reserved for ` (1234567)` when a name is shortened, so that the suffix never moves the cut. */
const SUFFIX_BYTES = 10;

/** A longer extension counts as part of the name. */
const EXTENSION_BYTES_MAX = 16;

/** Only letters, digits and marks without meaning on any system: matches most names in one test. */
const HARMLESS = /^[0-9A-Za-z_](?:[0-9A-Za-z_ ,()[\]{}+=@#%&!;'~^$.-]*[0-9A-Za-z_()[\]{}+-])?$/;

/**
 * Not allowed in file names: controls, path separators, characters that Windows forbids, direction changes, invisible
 * characters (MET-1, MET-3, MET-4), and U+FFFD, which stands for broken UTF-8.
 */
const FORBIDDEN =
  /[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd]/gu;

/** Joiners shape words and emoji; next to ASCII, or at an end, they only hide things. */
const STRAY_JOINERS = /(?<![^\u0000-\u007f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\u0000-\u007f])/gu;

/** Names of Windows devices, with any extension. */
const RESERVED =
  /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;

/**
 * Makes one path element a valid file name on every system, so that a folder can be moved between them. The same
 * element always gives the same name; different elements may give the same name.
 *
 * @param raw - Bytes from outside spelled in latin1; read as UTF-8.
 * @returns 1 to 255 bytes of UTF-8, never `.`, `..` or anything with a separator.
 */
export function cleanComponent(raw: string): string {
  if (raw.length <= COMPONENT_BYTES_MAX && isHarmless(raw)) return raw;
  const text = withoutEndZeros(decodeUtf8(fromLatin1(raw.slice(0, RAW_COMPONENT_BYTES_MAX))));
  let name = text.replace(FORBIDDEN, "_");
  if (RESERVED.test(name)) name = `_${name}`;
  name = shorten(name).replace(STRAY_JOINERS, (run) => "_".repeat(run.length));
  // Windows drops trailing dots and spaces. This also covers ".", ".." and the empty element.
  return name.replace(/[. ]$/, "_") || "_";
}

/** Tells whether a name is ASCII and fit for every system as it is. The caller checks its length. */
export function isHarmless(raw: string): boolean {
  return HARMLESS.test(raw) && !RESERVED.test(raw);
}

/**
 * Reads one path element unchanged, to find a file that another program stored under it. A backslash is an ordinary
 * character here; on systems where it separates paths, `safeJoin` refuses it.
 *
 * @param raw - Bytes from outside spelled in latin1.
 * @returns `undefined` when it is not a file name or could lead elsewhere (MET-1).
 */
export function literalComponent(raw: string): string | undefined {
  if (raw.length > COMPONENT_BYTES_MAX || isUnsafe(raw)) return undefined;
  return decodeUtf8Strict(fromLatin1(raw));
}

function isUnsafe(component: string): boolean {
  return component === "" || component === "." || component === ".." || /[/\0]/.test(component);
}

/** One folder of a torrent, as it will be on disk. It is small, because some torrents have a folder for every file. */
interface Folder {
  readonly id: number;
  readonly path: readonly string[];
}

/** The meaning of a name: a folder, or the name of a file. */
type Entry = Folder | string;

/**
 * Gives every file of one torrent its path. The first request for a name gets it; equal names, names that differ only
 * in case or normalisation, and files that are also folders get a suffix (MET-5). The same requests in the same order
 * give the same paths.
 */
export class SafeTree {
  readonly #root: Folder;
  #folders = 1;
  // One table holds the names of all folders, so that folders need no maps of their own.
  /** Keyed by folded name, because some systems take `A` and `a` for one file. */
  readonly #entries: NameTable<Entry>;
  /** The entries of cleaned names that were already taken. */
  readonly #aliases = new Map<string, Entry>();
  /** The next suffix to try for each name. Counting up keeps 10,000 equal names linear (MET-6). */
  readonly #nextSuffix = new Map<string, number>();
  /** The folder elements of the file before, as requested, and its innermost folder. */
  #lastRaw: readonly string[] = [];
  #lastFolder: Folder;

  /**
   * @param root - Components in front of every path: the torrent's cleaned name, or nothing.
   * @param options.seed - 32 bits that the author of the names could not know.
   * @param options.bytes - Holds the names given to `addBeside`.
   */
  constructor(
    root: readonly string[],
    options: { readonly seed?: number; readonly bytes?: Uint8Array } = {},
  ) {
    this.#root = { id: 0, path: root };
    this.#lastFolder = this.#root;
    this.#entries = new NameTable(options.seed ?? 0, options.bytes ?? new Uint8Array(0));
  }

  /** The folder of the file that was added last; the root before the first one. */
  get lastFolder(): readonly string[] {
    return this.#lastFolder.path;
  }

  /**
   * Adds a file to the folder of the previous one, without building a text of its name.
   *
   * @param name - A plain name (`isPlainName`): the path ends with it unchanged.
   * @returns False, without a change, when the name is taken there: `addFile` finds another one.
   */
  addBeside(name: PlainName): boolean {
    return this.#entries.addPlain(this.#lastFolder.id, name);
  }

  /** @param raw - Elements spelled in latin1, at least one. @returns Its path. */
  addFile(raw: readonly string[]): readonly string[] {
    // Not a spread, which reserves room for more elements.
    const name = this.addName(raw);
    return this.#lastFolder.path.concat(name);
  }

  /** @param raw - As for `addFile`. @returns The file's own name, below `lastFolder`. */
  addName(raw: readonly string[]): string {
    const folder = this.#folderOf(raw);
    const wanted = cleanComponent(raw[raw.length - 1]!);
    const name = this.#claim(folder, wanted);
    this.#entries.add(folder.id, foldName(name), name);
    if (name !== wanted && this.#lookUp(folder, wanted) === undefined) {
      this.#aliases.set(keyOf(folder, wanted), name);
    }
    return name;
  }

  /** @returns The path that a file or folder got, or `undefined` when nothing was added under `raw`. */
  find(raw: readonly string[]): readonly string[] | undefined {
    let folder = this.#root;
    for (const [index, element] of raw.entries()) {
      const entry = this.#lookUp(folder, cleanComponent(element));
      if (entry === undefined) return undefined;
      if (typeof entry !== "string") folder = entry;
      else return index === raw.length - 1 ? [...folder.path, entry] : undefined;
    }
    return folder.path;
  }

  /** The folder of a file. Most files are beside the previous one. */
  #folderOf(raw: readonly string[]): Folder {
    const depth = raw.length - 1;
    const last = this.#lastRaw;
    let same = last.length - 1 === depth;
    for (let index = 0; same && index < depth; index += 1) same = raw[index] === last[index];
    if (!same) {
      let folder = this.#root;
      for (let index = 0; index < depth; index += 1) {
        folder = this.#enter(folder, cleanComponent(raw[index]!));
      }
      this.#lastRaw = raw;
      this.#lastFolder = folder;
    }
    return this.#lastFolder;
  }

  /** The folder `name` inside `folder`, created when it does not exist. */
  #enter(folder: Folder, name: string): Folder {
    const known = this.#lookUp(folder, name);
    if (known !== undefined && typeof known !== "string") return known;
    const claimed = this.#claim(folder, name);
    const made: Folder = { id: this.#folders, path: [...folder.path, claimed] };
    this.#folders += 1;
    this.#entries.add(folder.id, foldName(claimed), made);
    if (claimed !== name) this.#aliases.set(keyOf(folder, name), made);
    return made;
  }

  #lookUp(folder: Folder, name: string): Entry | undefined {
    if (this.#aliases.size > 0) {
      const alias = this.#aliases.get(keyOf(folder, name));
      if (alias !== undefined) return alias;
    }
    const index = this.#entries.find(folder.id, foldName(name));
    if (index < 0) return undefined;
    const entry = this.#entries.entry(index) ?? this.#entries.plainName(index);
    return (typeof entry === "string" ? entry : entry.path.at(-1)) === name ? entry : undefined;
  }

  /** @returns `name`, or `stem (2).ext`, `stem (3).ext`... when it is taken. */
  #claim(folder: Folder, name: string): string {
    if (this.#entries.find(folder.id, foldName(name)) < 0) return name;
    const { stem, extension } = splitForSuffix(name);
    // Counted per shortened stem, because different long names may be cut to the same stem.
    const key = keyOf(folder, `${foldName(stem)}/${foldName(extension)}`);
    for (let suffix = this.#nextSuffix.get(key) ?? 2; ; suffix += 1) {
      const candidate = `${stem} (${suffix})${extension}`;
      if (this.#entries.find(folder.id, foldName(candidate)) >= 0) continue;
      this.#nextSuffix.set(key, suffix + 1);
      return candidate;
    }
  }
}

function keyOf(folder: Folder, name: string): string {
  return `${folder.id}/${name}`;
}

function splitForSuffix(name: string): { stem: string; extension: string } {
  const { stem, extension } = splitExtension(name);
  const stemBytesMax = COMPONENT_BYTES_MAX - SUFFIX_BYTES - utf8Length(extension);
  return { stem: cut(stem, stemBytesMax), extension };
}

function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  if (dot <= 0 || utf8Length(name.slice(dot)) > EXTENSION_BYTES_MAX) {
    return { stem: name, extension: "" };
  }
  return { stem: name.slice(0, dot), extension: name.slice(dot) };
}

/** Names with the same fold are one file on some system: case and composition of characters do not count. */
export function foldName(name: string): string {
  if (/^[\u0000-\u007f]*$/.test(name)) return name.toLowerCase();
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

function shorten(name: string): string {
  // One UTF-16 unit takes at most three bytes.
  if (name.length * 3 <= COMPONENT_BYTES_MAX) return name;
  const { stem, extension } = splitExtension(name);
  return cut(stem, COMPONENT_BYTES_MAX - utf8Length(extension)) + extension;
}

/** Cuts after whole code points. */
function cut(text: string, bytesMax: number): string {
  const bytes = encodeUtf8(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return decodeUtf8(bytes.subarray(0, end));
}

function utf8Length(text: string): number {
  return encodeUtf8(text).length;
}
