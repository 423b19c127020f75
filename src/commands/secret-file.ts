import { decodeUtf8 } from "../base/bytes.ts";
import { folderOf } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import type { SecretPlace, UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble, folderMissing } from "./command-error.ts";

const CHARACTERS_MAX = 1024;
const FILE_BYTES_MAX = 64 * 1024;

/** A password or token from a file, which keeps it out of `ps` (CLI-2). */
export interface SecretLine {
  readonly secret: string;
  /** True when other users of this machine may read the file (CLI-3). */
  readonly openToOthers: boolean;
}

/**
 * Reads the one line of a file.
 *
 * @param signal - Ends the wait for a pipe; its reason is thrown.
 * @throws {CommandError} `not-found`, `not-readable`; `bad-plan` when it is not one line.
 */
export async function readSecretLine(
  files: UserFiles,
  path: string,
  signal?: AbortSignal,
): Promise<SecretLine> {
  const { bytes, openToOthers } = await readFile(files, path, signal);
  const secret = decodeUtf8((bytes ?? new Uint8Array()).slice()).replace(/\r?\n$/, "");
  if (secret !== "" && secret.length <= CHARACTERS_MAX && !/[\r\n]/.test(secret)) {
    return { secret, openToOthers };
  }
  throw new CommandError("bad-plan", `${path} does not hold one line. Nothing else is expected.`, {
    subject: path,
    hint: "write the password or token into it, alone.",
  });
}

async function readFile(files: UserFiles, path: string, signal: AbortSignal | undefined) {
  try {
    const limits = { fileBytesMax: FILE_BYTES_MAX, streamBytesMax: FILE_BYTES_MAX, signal };
    const found = await files.read(path, limits);
    if (found.kind === "folder")
      throw Object.assign(new Error("EISDIR: illegal operation on a directory, read"), {
        code: "EISDIR",
      });
    return found;
  } catch (error) {
    signal?.throwIfAborted();
    throw diskTrouble(error, `read ${path}`, path);
  }
}

/**
 * A file for one secret, created before the secret is, so that the secret cannot be lost for want
 * of a place.
 */
export class SecretFile {
  readonly #path: string;
  readonly #place: SecretPlace;

  private constructor(path: string, place: SecretPlace) {
    this.#path = path;
    this.#place = place;
  }

  /**
   * Creates the file for its owner only.
   *
   * @throws {CommandError} `exists`, `not-writable`, `disk-full`.
   */
  static async create(files: UserFiles, path: string): Promise<SecretFile> {
    try {
      return new SecretFile(path, await files.createSecret(path));
    } catch (error) {
      if (systemCode(error) === "ENOENT") throw folderMissing(path, folderOf(path));
      if (systemCode(error) !== "EEXIST") throw diskTrouble(error, `write ${path}`, path);
      throw new CommandError("exists", `${path} already exists. It is not overwritten.`, {
        subject: path,
        hint: "another name, or remove that file.",
        cause: error,
      });
    }
  }

  async fill(secret: string): Promise<void> {
    try {
      await this.#place.write(`${secret}\n`);
    } catch (error) {
      throw diskTrouble(error, `write ${this.#path}`, this.#path);
    }
  }

  /** Removes the file again when nothing was written to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.close();
  }
}
