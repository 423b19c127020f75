import { NODE_BYTES } from "./merkle.ts";
import type { TorrentFile } from "./metainfo.ts";
import type { ListedFile } from "./read-info-fields.ts";

/** The place of a listed file. */
export interface FilePlace {
  /** Safe components of the folder; neighbours in the same folder share one array. */
  readonly folder: readonly string[];
  /** Its name in that folder; `undefined` when it equals the name in the list, in plain ASCII. */
  readonly name: string | undefined;
  /** Bytes from the start of the torrent's space. */
  readonly offset: number;
  readonly pathAsWritten: readonly string[] | undefined;
}

const PAD = 1;
const EXECUTABLE = 2;
const HIDDEN = 4;

/** Initial capacity, in files. */
const ROOM_AT_FIRST = 256;

/**
 * The files of one torrent as columns of numbers: a torrent may have 200,000 files, and 30 bytes each are a tenth of
 * what an object with its names takes. Names stay in the info dictionary; texts and objects are made only when a
 * caller asks for them.
 */
export class FileTable {
  #count = 0;
  readonly #listBytes: Buffer;
  readonly #infoBytes: Uint8Array;
  #lengths = new Float64Array(ROOM_AT_FIRST);
  #offsets = new Float64Array(ROOM_AT_FIRST);
  #flags = new Uint8Array(ROOM_AT_FIRST);
  /** Index into `#folders`. */
  #folderIndexes = new Int32Array(ROOM_AT_FIRST);
  /** The offset of the name in the list, or minus one minus its index in `#names`. */
  #nameOffsets = new Int32Array(ROOM_AT_FIRST);
  /** Bytes. The name of a file has at most 255. */
  #nameLengths = new Uint8Array(ROOM_AT_FIRST);
  /** The offset of each file's tree root in the info dictionary; created when the first file has one. */
  #rootOffsets: Int32Array | undefined;
  readonly #folders: (readonly string[])[] = [];
  readonly #names: string[] = [];
  readonly #pathsAsWritten = new Map<number, readonly string[]>();
  readonly #linkTargets = new Map<number, readonly string[]>();

  /**
   * @param listBytes - The part of the info dictionary that lists the files. Names are views of it.
   * @param infoBytes - Roots are views of it.
   */
  constructor(listBytes: Uint8Array, infoBytes: Uint8Array) {
    this.#listBytes = Buffer.from(listBytes.buffer, listBytes.byteOffset, listBytes.length);
    this.#infoBytes = infoBytes;
  }

  get count(): number {
    return this.#count;
  }

  add(file: ListedFile, place: FilePlace): void {
    const index = this.#count;
    if (index === this.#lengths.length) this.#grow();
    this.#count += 1;
    this.#lengths[index] = file.length;
    this.#offsets[index] = place.offset;
    this.#flags[index] =
      (file.pad ? PAD : 0) | (file.executable ? EXECUTABLE : 0) | (file.hidden ? HIDDEN : 0);
    const folders = this.#folders;
    if (folders[folders.length - 1] !== place.folder) folders.push(place.folder);
    this.#folderIndexes[index] = folders.length - 1;
    if (place.name === undefined) {
      this.#nameOffsets[index] = file.nameAt;
      this.#nameLengths[index] = file.nameLength;
    } else {
      this.#nameOffsets[index] = -1 - this.#names.length;
      this.#names.push(place.name);
    }
    if (place.pathAsWritten) this.#pathsAsWritten.set(index, place.pathAsWritten);
    if (file.piecesRoot) {
      this.#rootOffsets ??= new Int32Array(this.#lengths.length).fill(-1);
      this.#rootOffsets[index] = file.piecesRoot.byteOffset - this.#infoBytes.byteOffset;
    }
  }

  /** @param target - Safe components of a file or folder of this torrent. */
  setLinkTarget(index: number, target: readonly string[]): void {
    this.#linkTargets.set(index, target);
  }

  /** All files, as objects that read from this table. */
  files(): TorrentFile[] {
    return Array.from({ length: this.#count }, (_, index) => new PlacedFile(this, index));
  }

  length(index: number): number {
    return this.#lengths[index]!;
  }

  offset(index: number): number {
    return this.#offsets[index]!;
  }

  isPad(index: number): boolean {
    return (this.#flags[index]! & PAD) !== 0;
  }

  isExecutable(index: number): boolean {
    return (this.#flags[index]! & EXECUTABLE) !== 0;
  }

  isHidden(index: number): boolean {
    return (this.#flags[index]! & HIDDEN) !== 0;
  }

  path(index: number): readonly string[] {
    // Not a spread, which reserves room for more elements.
    return this.#folders[this.#folderIndexes[index]!]!.concat(this.#name(index));
  }

  pathAsWritten(index: number): readonly string[] | undefined {
    return this.#pathsAsWritten.get(index);
  }

  linkTarget(index: number): readonly string[] | undefined {
    return this.#linkTargets.get(index);
  }

  piecesRoot(index: number): Uint8Array | undefined {
    const at = this.#rootOffsets?.[index] ?? -1;
    return at < 0 ? undefined : this.#infoBytes.subarray(at, at + NODE_BYTES);
  }

  #name(index: number): string {
    const at = this.#nameOffsets[index]!;
    if (at < 0) return this.#names[-1 - at]!;
    return this.#listBytes.toString("latin1", at, at + this.#nameLengths[index]!);
  }

  #grow(): void {
    const room = this.#lengths.length * 2;
    this.#lengths = copyInto(new Float64Array(room), this.#lengths);
    this.#offsets = copyInto(new Float64Array(room), this.#offsets);
    this.#flags = copyInto(new Uint8Array(room), this.#flags);
    this.#folderIndexes = copyInto(new Int32Array(room), this.#folderIndexes);
    this.#nameOffsets = copyInto(new Int32Array(room), this.#nameOffsets);
    this.#nameLengths = copyInto(new Uint8Array(room), this.#nameLengths);
    if (this.#rootOffsets) {
      this.#rootOffsets = copyInto(new Int32Array(room).fill(-1), this.#rootOffsets);
    }
  }
}

/**
 * One file of a table. It is small, because there may be 200,000. Its fields are getters, which a spread does not
 * copy: see `withPath`.
 */
class PlacedFile implements TorrentFile {
  readonly #table: FileTable;
  readonly #index: number;

  constructor(table: FileTable, index: number) {
    this.#table = table;
    this.#index = index;
  }

  get path(): readonly string[] {
    return this.#table.path(this.#index);
  }

  get pathAsWritten(): readonly string[] | undefined {
    return this.#table.pathAsWritten(this.#index);
  }

  get length(): number {
    return this.#table.length(this.#index);
  }

  get offset(): number {
    return this.#table.offset(this.#index);
  }

  get pad(): boolean {
    return this.#table.isPad(this.#index);
  }

  get executable(): boolean {
    return this.#table.isExecutable(this.#index);
  }

  get hidden(): boolean {
    return this.#table.isHidden(this.#index);
  }

  get linkTarget(): readonly string[] | undefined {
    return this.#table.linkTarget(this.#index);
  }

  get piecesRoot(): Uint8Array | undefined {
    return this.#table.piecesRoot(this.#index);
  }
}

/** The same file under another path. */
export function withPath(
  file: TorrentFile,
  path: readonly string[],
  linkTarget: readonly string[] | undefined = file.linkTarget,
): TorrentFile {
  const { pathAsWritten, length, offset, pad, executable, hidden, piecesRoot } = file;
  return {
    path,
    pathAsWritten,
    length,
    offset,
    pad,
    executable,
    hidden,
    linkTarget,
    piecesRoot,
  };
}

function copyInto<Column extends Float64Array | Int32Array | Uint8Array>(
  larger: Column,
  column: Column,
): Column {
  larger.set(column);
  return larger;
}
