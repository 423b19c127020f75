import { infohashKey } from "../base/infohash.ts";
import { decodeResume, encodeResume } from "../engine/resume-codec.ts";
import type { ResumeState } from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { FolderFiles, UserFiles } from "../ports/user-files.ts";

/**
 * Keeps the state of an unfinished download in a hidden file beside it, so that after a kill the
 * same command resumes without reading everything again. The file is removed when the download is
 * done.
 */
export class ResumeFile {
  readonly #path: string;
  readonly #disk: UserFiles;
  readonly #files: FolderFiles;
  readonly #onTrouble: (error: unknown) => void;
  #next: ResumeState | undefined;
  #writing: Promise<void> | undefined;

  /**
   * @param download.root - Absolute folder of the download.
   * @param onTrouble - Called when the file cannot be written; the download continues without it.
   */
  constructor(
    disk: UserFiles,
    { root, infohashes }: { readonly root: string } & Pick<TorrentInfo, "infohashes">,
    onTrouble: (error: unknown) => void,
  ) {
    this.#disk = disk;
    this.#files = disk.below();
    const key = infohashKey(infohashes.v1 ?? infohashes.v2!);
    this.#path = `${root}/.${key}.everseed-resume`;
    this.#onTrouble = onTrouble;
  }

  /** @returns `undefined` when there is none, or none that can be trusted. */
  async load(): Promise<ResumeState | undefined> {
    if (!this.#isOurs()) return undefined;
    const bytes = await this.#files.read(this.#path);
    return bytes ? decodeResume(bytes) : undefined;
  }

  /** Writes in the background; while one write runs, only the newest pending state is kept. */
  save(resume: ResumeState): Promise<void> {
    this.#next = resume;
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  /** Waits until all saved state is on disk. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  async remove(): Promise<void> {
    await this.settle();
    await this.#files.remove(this.#path);
  }

  /**
   * True for a plain file of this user. In a shared folder somebody else's file could claim that
   * files there are ours, and our files are written to.
   */
  #isOurs(): boolean {
    const facts = this.#disk.lookAtEntry(this.#path);
    return facts?.kind === "file" && facts.own;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#next) {
        const bytes = encodeResume(this.#next);
        this.#next = undefined;
        await this.#files.write(this.#path, bytes);
      }
    } catch (error) {
      this.#next = undefined;
      this.#onTrouble(error);
    } finally {
      this.#writing = undefined;
    }
  }
}
