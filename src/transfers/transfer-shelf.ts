import { decodeUtf8, encodeUtf8 } from "../base/bytes.ts";
import { decodeResume, encodeResume } from "../engine/resume-codec.ts";
import type { ResumeState } from "../engine/session-contract.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import type { RunWork } from "../base/work.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";

/** Limit on a .torrent file that its owner gave: more than strangers may send. */
export const TORRENT_FILE_BYTES_MAX = 128 * 1024 * 1024;

/** The files that a transfer has from others, by index: they are its own. */
export interface TakenFiles {
  readonly files: ReadonlySet<number>;
  /** The engine has compared all of them with their hashes, and its resume knows them. */
  readonly isCompared: boolean;
}

export interface TransferShelfParts {
  readonly files: Pick<Files, "read" | "write" | "remove">;
  /** The state folder, absolute. */
  readonly folder: string;
  readonly run: RunWork;
  readonly log: Log;
}

/** The .torrent files and resumes of the transfers, in the state folder; read when they are needed, and not kept. */
export class TransferShelf {
  readonly #parts: TransferShelfParts;

  constructor(parts: TransferShelfParts) {
    this.#parts = parts;
  }

  /** Where the .torrent file is, or will be. */
  torrentPath(id: string): string {
    return this.#path(id, "torrent");
  }

  /** Durable when it resolves. */
  async saveTorrent(id: string, bytes: Uint8Array): Promise<void> {
    await this.#parts.files.write(this.#path(id, "torrent"), bytes);
  }

  /** @returns `undefined` when the file is gone or damaged, which is logged. */
  async loadTorrent(id: string): Promise<Metainfo | undefined> {
    const { files, run, log } = this.#parts;
    const bytes = await files.read(this.#path(id, "torrent"));
    if (!bytes) {
      log.error("the .torrent file of a transfer is missing", { id });
      return undefined;
    }
    try {
      return await run(parseMetainfoInSteps(bytes, { bytesMax: TORRENT_FILE_BYTES_MAX }));
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      log.error("the .torrent file of a transfer is damaged", { id, why: error.message });
      return undefined;
    }
  }

  async saveResume(id: string, resume: ResumeState): Promise<void> {
    await this.#parts.files.write(this.#path(id, "resume"), encodeResume(resume));
  }

  /** @returns `undefined` when there is none, or none that can be trusted (STO-3). */
  async loadResume(id: string): Promise<ResumeState | undefined> {
    const bytes = await this.#parts.files.read(this.#path(id, "resume"));
    return bytes && decodeResume(bytes);
  }

  async removeResume(id: string): Promise<void> {
    await this.#parts.files.remove(this.#path(id, "resume"));
  }

  /** Durable when it resolves. */
  async saveTaken(id: string, taken: TakenFiles): Promise<void> {
    const { files, isCompared } = taken;
    const text = JSON.stringify({ files: [...files], isCompared });
    await this.#parts.files.write(this.#path(id, "taken"), encodeUtf8(text));
  }

  /** @returns `undefined` when none are, or when what was saved is damaged (STO-3). */
  async loadTaken(id: string): Promise<TakenFiles | undefined> {
    const bytes = await this.#parts.files.read(this.#path(id, "taken"));
    return bytes && parseTaken(decodeUtf8(bytes));
  }

  async remove(id: string): Promise<void> {
    await this.#parts.files.remove(this.#path(id, "torrent"));
    await this.removeResume(id);
    await this.#parts.files.remove(this.#path(id, "taken"));
  }

  /** Two levels, because file systems slow down with a hundred thousand entries in one folder. */
  #path(id: string, ending: "torrent" | "resume" | "taken"): string {
    return `${this.#parts.folder}/transfers/${id.slice(0, 2)}/${id}.${ending}`;
  }
}

function parseTaken(text: string): TakenFiles | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("files" in value)) return undefined;
    if (!Array.isArray(value.files)) return undefined;
    const files = new Set(value.files.filter((each) => Number.isInteger(each)));
    return { files, isCompared: "isCompared" in value && value.isCompared === true };
  } catch {
    return undefined;
  }
}
