import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { openToRead, readHandle } from "../platform/bounded-file.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble, folderMissing } from "./command-error.ts";

const CHARACTERS_MAX = 1024;
const FILE_BYTES_MAX = 64 * 1024;

/** A password or token that was in a file, which keeps it out of `ps` (CLI-2). */
export interface SecretLine {
  readonly secret: string;
  /** Others on this machine may read the file (CLI-3). */
  readonly openToOthers: boolean;
}

/**
 * Reads the one line of a file.
 *
 * @param signal - Ends the wait for a pipe; its reason is thrown.
 * @throws {CommandError} `not-found`, `not-readable`; `bad-plan` when it is not one line.
 */
export async function readSecretLine(path: string, signal?: AbortSignal): Promise<SecretLine> {
  let text: string;
  let mode: number;
  try {
    await using file = await openToRead(path);
    ({ mode } = await file.stat());
    text = (await readHandle(file, FILE_BYTES_MAX, signal))?.toString("utf8") ?? "";
  } catch (error) {
    signal?.throwIfAborted();
    throw diskTrouble(error, `read ${path}`, path);
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "" && secret.length <= CHARACTERS_MAX && !/[\r\n]/.test(secret)) {
    return { secret, openToOthers: (mode & 0o077) !== 0 };
  }
  throw new CommandError("bad-plan", `${path} does not hold one line. Nothing else is expected.`, {
    subject: path,
    hint: "write the password or token into it, alone.",
  });
}

/** A file for one secret, made before the secret is: then it cannot get lost for want of a place. */
export class SecretFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #filled = false;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /**
   * Makes the file, for its owner only.
   *
   * @throws {CommandError} `exists`, `not-writable`, `disk-full`.
   */
  static async create(path: string): Promise<SecretFile> {
    try {
      return new SecretFile(path, await open(path, "wx", 0o600));
    } catch (error) {
      if (systemCode(error) === "ENOENT") throw folderMissing(path, dirname(path));
      if (systemCode(error) !== "EEXIST") throw diskTrouble(error, `write ${path}`, path);
      throw new CommandError("exists", `${path} is there already. It is not overwritten.`, {
        subject: path,
        hint: "another name, or remove that file.",
        cause: error,
      });
    }
  }

  async fill(secret: string): Promise<void> {
    try {
      await this.#handle.writeFile(`${secret}\n`);
      await this.#handle.sync();
      this.#filled = true;
    } catch (error) {
      throw diskTrouble(error, `write ${this.#path}`, this.#path);
    }
  }

  /** Removes the file again when nothing was put in. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    if (!this.#filled) await rm(this.#path, { force: true });
  }
}
