import { decodeUtf8, encodeUtf8, equalBytes, fromHex, toHex } from "../base/bytes.ts";
import { folderOf, joinPath } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import { isSigned, type MutableItem, placeOf, targetOf } from "../dht/item.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Signatures } from "../ports/signatures.ts";
import type { FolderFiles, UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { reusable } from "./reusable-files.ts";

/** Our own files beside the publication's. */
const WORK_FOLDER = ".everseed-follow";
const FORMAT = 1;
/** Bytes of a file that are compared at a time. */
const COMPARE_BYTES = 256 * 1024;
/** Tries for a name that is not taken. */
const NAMES_MAX = 1000;

/** A version of a publication: what its key has signed, and the torrent that it names. */
export interface Version {
  readonly item: MutableItem;
  readonly info: TorrentInfo;
}

interface State {
  /** The newest version whose files are in place. */
  readonly current: MutableItem | undefined;
  /** Wall milliseconds when they were: files that are younger have been changed by somebody else. */
  readonly placedAtMs: number;
  /** The version whose files are being put in place. */
  readonly placing: MutableItem | undefined;
}

/** What became of the files of the version before. */
export interface Placed {
  readonly files: number;
  /** The folder with what the newest version does not have any more; `undefined` when nothing had to be kept. */
  readonly older: string | undefined;
}

export interface PlaceOptions {
  /** Wall clock. */
  readonly nowMs: number;
  /** Deletes what the newest version does not have any more, instead of keeping it. */
  readonly deletesOlder: boolean;
}

/**
 * A folder that holds the newest whole version of a publication. The next version is fetched beside it, with everything
 * that is here already, and takes its place when it is whole. Files that the newest version does not have any more move
 * to `NAME.older/SEQUENCE`, so that nothing is lost. A run that was killed while it moved files is continued.
 */
export class FollowedFolder {
  /** Absolute. */
  readonly root: string;
  readonly #disk: UserFiles;
  readonly #files: FolderFiles;
  readonly #work: string;
  #state: State = { current: undefined, placedAtMs: 0, placing: undefined };
  #info: TorrentInfo | undefined;

  private constructor(disk: UserFiles, root: string, work: string) {
    this.#disk = disk;
    this.#files = disk.below(root);
    this.root = root;
    this.#work = work;
  }

  /**
   * @param target - Of the publication's item: a folder may follow several.
   * @throws {CommandError} When the folder cannot be used, or holds a state that is none.
   */
  static async open(
    ports: { readonly files: UserFiles; readonly signatures: Signatures },
    folder: string,
    target: Uint8Array,
  ): Promise<FollowedFolder> {
    const { files: disk, signatures } = ports;
    const root = disk.absolute(folder);
    const work = joinPath(root, WORK_FOLDER, toHex(target));
    try {
      await disk.makeFolders(work);
      const followed = new FollowedFolder(disk, root, work);
      await followed.#load(signatures, target);
      return followed;
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw diskTrouble(error, `write to ${folder}`, folder);
    }
  }

  close(): void {
    this.#files.close();
  }

  /** The version that is here as a whole. */
  get version(): Version | undefined {
    const item = this.#state.current;
    return item && this.#info && { item, info: this.#info };
  }

  /** The version whose files were being put in place when a run was killed: call `place` with it. */
  get placing(): MutableItem | undefined {
    return this.#state.placing;
  }

  /** The .torrent file of the version that is here. */
  get torrentFile(): string {
    return joinPath(this.#work, "current.torrent");
  }

  /** The .torrent file of the version that is being fetched, and the folder of its files. */
  get next(): { readonly torrentFile: string; readonly folder: string } {
    return {
      torrentFile: joinPath(this.#work, "next.torrent"),
      folder: joinPath(this.#work, "next"),
    };
  }

  /** The info of the version that an earlier run began to fetch. */
  nextInfo(): Promise<TorrentInfo | undefined> {
    return this.#readInfo(this.next.torrentFile);
  }

  /**
   * Prepares for a version to be fetched into `next.folder`: files that are here and may be the same are linked or copied
   * there. Whoever fetches judges them.
   *
   * @param torrent - Its .torrent file.
   */
  async prepare(info: TorrentInfo, torrent: Uint8Array, signal: AbortSignal): Promise<void> {
    const { torrentFile, folder } = this.next;
    await this.#files.remove(torrentFile);
    await this.#files.remove(folder);
    await this.#disk.makeFolders(folder);
    const { placedAtMs } = this.#state;
    for (const { to, from, isSame } of reusable(withVisibleName(info), this.#info)) {
      signal.throwIfAborted();
      const source = joinPath(this.root, ...from.path);
      const facts = this.#disk.lookAtEntry(source);
      if (facts?.kind !== "file" || facts.size !== from.length) continue;
      const target = joinPath(folder, ...to.path);
      await this.#disk.makeFolders(folderOf(target));
      // The download may write to what it finds: a file that somebody has changed must not be the same one.
      const mayLink = isSame && facts.mtimeMs <= placedAtMs;
      if (!mayLink || !(await this.#link(source, target))) await this.#files.copy(source, target);
    }
    await this.#disk.write(torrentFile, torrent);
  }

  /** Replaces the .torrent file of the version that is being fetched by one that says more around the same info. */
  async replaceNext(torrent: Uint8Array): Promise<void> {
    await this.#disk.write(this.next.torrentFile, torrent);
  }

  /** The version is whole in `next.folder`: puts its files in place. */
  async place(item: MutableItem, options: PlaceOptions): Promise<Placed> {
    await this.#save({ ...this.#state, placing: item });
    const info = await this.nextInfo();
    const placed = info && (await this.#placeFiles(info, options));
    // Without the file a run was killed after this step.
    if (info) await this.#files.move(this.next.torrentFile, this.torrentFile);
    await this.#files.remove(this.next.folder);
    this.#info = await this.#readInfo(this.torrentFile);
    await this.#save({ current: item, placedAtMs: options.nowMs, placing: undefined });
    return placed ?? { files: this.#info?.files.length ?? 0, older: undefined };
  }

  async #placeFiles(info: TorrentInfo, options: PlaceOptions): Promise<Placed> {
    const before = new Map(realFiles(this.#info).map((file) => [keyOf(file), file]));
    const newest = realFiles(info);
    const keys = new Set(newest.map(keyOf));
    const older = this.#olderFolder(info);
    let isAnyOlder = false;
    const putAside = async (path: readonly string[]): Promise<void> => {
      if (await this.#putAside(path, { older, before, ...options })) isAnyOlder = true;
    };
    for (const [key, { path }] of before) {
      if (keys.has(key) || !this.#disk.lookAtEntry(joinPath(this.root, ...path))) continue;
      await putAside(path);
      await this.#removeEmpty(path.slice(0, -1));
    }
    for (const { path } of newest) {
      const from = joinPath(this.next.folder, ...path);
      // It was moved before a run was killed.
      if (!this.#disk.lookAtEntry(from)) continue;
      const to = joinPath(this.root, ...path);
      if (this.#disk.lookAtEntry(to)) {
        if (await this.#isSame(from, to)) continue;
        await putAside(path);
      }
      await this.#disk.makeFolders(folderOf(to));
      await this.#files.move(from, to);
    }
    return { files: newest.length, older: isAnyOlder ? older : undefined };
  }

  /** Where files go that are not in the newest version. */
  #olderFolder(next: TorrentInfo): string {
    const name = (this.#info ?? next).files[0]?.path[0] ?? next.name;
    return joinPath(this.root, `${name}.older`, String(this.#state.current?.sequence ?? "before"));
  }

  /** @returns False when it was deleted. */
  async #putAside(
    path: readonly string[],
    how: PlaceOptions & {
      readonly older: string;
      readonly before: ReadonlyMap<string, TorrentFile>;
    },
  ): Promise<boolean> {
    const from = joinPath(this.root, ...path);
    if (how.deletesOlder) {
      const file = how.before.get(path.join("/"));
      const facts = this.#disk.lookAtEntry(from);
      const isOurs = file && facts?.kind === "file" && facts.size === file.length;
      if (isOurs && facts.mtimeMs <= this.#state.placedAtMs) {
        await this.#files.remove(from);
        return false;
      }
    }
    const below = path.length > 1 ? path.slice(1) : path;
    const to = this.#freeName(joinPath(how.older, ...below));
    await this.#disk.makeFolders(folderOf(to));
    await this.#files.move(from, to);
    return true;
  }

  #freeName(path: string): string {
    for (let number = 1; number < NAMES_MAX; number += 1) {
      const name = number === 1 ? path : `${path} (${number})`;
      if (!this.#disk.lookAtEntry(name)) return name;
    }
    throw new CommandError("exists", `${path} is taken, and so are ${NAMES_MAX} names like it.`, {
      subject: path,
      hint: "move what is there to another place.",
    });
  }

  /** Removes a folder of the version before that has become empty, and those above it. */
  async #removeEmpty(path: readonly string[]): Promise<void> {
    for (let length = path.length; length > 0; length -= 1) {
      const folder = joinPath(this.root, ...path.slice(0, length));
      if ((await this.#files.list(folder)).length > 0) return;
      await this.#files.remove(folder);
    }
  }

  /** @returns False where the disk has no such links. */
  async #link(existing: string, path: string): Promise<boolean> {
    try {
      await this.#files.replaceByLink(existing, path);
      return true;
    } catch (error) {
      if (NO_LINKS.has(systemCode(error) ?? "")) return false;
      throw error;
    }
  }

  async #isSame(one: string, other: string): Promise<boolean> {
    const [mine, theirs] = [this.#disk.lookAtEntry(one), this.#disk.lookAtEntry(other)];
    if (mine?.kind !== "file" || theirs?.kind !== "file" || mine.size !== theirs.size) return false;
    if (mine.inode === theirs.inode) return true;
    const a = await this.#files.openRead(one);
    const b = await this.#files.openRead(other);
    try {
      if (!a || !b) return false;
      const [left, right] = [new Uint8Array(COMPARE_BYTES), new Uint8Array(COMPARE_BYTES)];
      for (let at = 0; at < mine.size; at += COMPARE_BYTES) {
        const [read, alsoRead] = [await a.read(left, at), await b.read(right, at)];
        if (read !== alsoRead || !equalBytes(left.subarray(0, read), right.subarray(0, read)))
          return false;
      }
      return true;
    } finally {
      await a?.close();
      await b?.close();
    }
  }

  async #readInfo(path: string): Promise<TorrentInfo | undefined> {
    const bytes = await this.#files.read(path);
    if (!bytes) return undefined;
    return withVisibleName(parseMetainfo(bytes, { bytesMax: bytes.length }).info);
  }

  async #load(signatures: Signatures, target: Uint8Array): Promise<void> {
    const path = joinPath(this.#work, "state.json");
    const bytes = await this.#files.read(path);
    if (!bytes) return;
    const state = parseState(decodeUtf8(bytes));
    const items = [state?.current, state?.placing].filter((item) => item !== undefined);
    const isOurs = items.every(
      (item) => equalBytes(targetOf(placeOf(item)), target) && isSigned(item, signatures),
    );
    if (!state || !isOurs) {
      throw new CommandError("bad-plan", `${path} is damaged. It says which version is here.`, {
        subject: path,
        hint: "remove it: what is here is compared with the newest version then.",
      });
    }
    this.#state = state;
    this.#info = await this.#readInfo(this.torrentFile);
  }

  async #save(state: State): Promise<void> {
    this.#state = state;
    const { current, placing, placedAtMs } = state;
    const text = JSON.stringify({
      format: FORMAT,
      placedAtMs,
      current: current && itemToJson(current),
      placing: placing && itemToJson(placing),
    });
    await this.#disk.write(joinPath(this.#work, "state.json"), encodeUtf8(`${text}\n`));
  }
}

/** Refusals of a link that are no reason not to copy. */
const NO_LINKS: ReadonlySet<string> = new Set([
  "EPERM",
  "EXDEV",
  "EMLINK",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
]);

function realFiles(info: TorrentInfo | undefined): readonly TorrentFile[] {
  return info?.files.filter(({ pad }) => !pad) ?? [];
}

function keyOf({ path }: TorrentFile): string {
  return path.join("/");
}

function itemToJson({ publicKey, salt, sequence, signature, value }: MutableItem): object {
  return {
    publicKey: toHex(publicKey),
    salt: toHex(salt),
    sequence: String(sequence),
    signature: toHex(signature),
    value: toHex(value),
  };
}

/** @returns `undefined` when the text is no state. */
function parseState(text: string): State | undefined {
  const fields = parseObject(text);
  const placedAtMs = fields?.["placedAtMs"];
  if (fields?.["format"] !== FORMAT || typeof placedAtMs !== "number") return undefined;
  const [current, placing] = [fields["current"], fields["placing"]].map(itemFromJson);
  if (current === "broken" || placing === "broken") return undefined;
  return { current, placing, placedAtMs };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function itemFromJson(value: unknown): MutableItem | undefined | "broken" {
  if (value === undefined) return undefined;
  const fields = value as Record<string, unknown> | null;
  const bytes = (name: string): Uint8Array | undefined => {
    const field = fields?.[name];
    return typeof field === "string" ? fromHex(field) : undefined;
  };
  const sequence = fields?.["sequence"];
  const [publicKey, salt, signature, content] = ["publicKey", "salt", "signature", "value"].map(
    bytes,
  );
  if (!publicKey || !salt || !signature || !content) return "broken";
  if (typeof sequence !== "string" || !/^[0-9]{1,19}$/.test(sequence)) return "broken";
  return {
    kind: "mutable",
    publicKey,
    salt,
    signature,
    value: content,
    sequence: BigInt(sequence),
  };
}
