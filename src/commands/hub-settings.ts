import { decodeUtf8 } from "../base/bytes.ts";
import { systemCode } from "../base/system-code.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";

/** Of settings, written by hand. */
const SETTINGS_BYTES_MAX = 1024 * 1024;
const LIMITS = { fileBytesMax: SETTINGS_BYTES_MAX, streamBytesMax: SETTINGS_BYTES_MAX };

/**
 * Reads the text of a hub's settings.
 *
 * @param from.isAskedFor - The user named the file: then it must exist.
 * @param from.signal - Ends the wait for a file that is a pipe.
 * @returns `undefined` when there is no file.
 * @throws {CommandError} (rejects) `not-found`, `not-readable`, `bad-plan`; or the signal's reason.
 */
export async function readSettings(
  files: UserFiles,
  from: {
    readonly path: string;
    readonly isAskedFor: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string | undefined> {
  const { path, isAskedFor, signal } = from;
  let bytes: Uint8Array | undefined;
  try {
    const found = await files.read(path, { ...LIMITS, signal });
    if (found.kind === "folder") {
      throw Object.assign(new Error("EISDIR: illegal operation on a directory, read"), {
        code: "EISDIR",
      });
    }
    ({ bytes } = found);
  } catch (error) {
    signal?.throwIfAborted();
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw diskTrouble(error, `read ${path}`, path);
    if (!isAskedFor) return undefined;
    throw new CommandError("not-found", `Cannot read ${path}. There is no such file.`, {
      subject: path,
      hint: "check the spelling, or leave --config out.",
    });
  }
  // Text is not decoded from memory that is shared with others.
  if (bytes) return decodeUtf8(bytes.slice());
  throw new CommandError(
    "bad-plan",
    `${path} holds no settings. It is larger than ${SETTINGS_BYTES_MAX} bytes.`,
    { subject: path, hint: "another file with --config, or leave it out." },
  );
}

/** Puts the commented template where a person will look for it, unless something is there. */
export async function offerSettings(
  files: UserFiles,
  path: string,
  template: string,
): Promise<void> {
  try {
    const place = await files.createSecret(path);
    try {
      await place.write(template);
    } finally {
      await place.close();
    }
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw diskTrouble(error, `write ${path}`, path);
  }
}

/** What a person should know of a data folder before a hub uses it. */
export interface DataFolderFacts {
  /** Nothing is there yet. */
  readonly isNew: boolean;
  /** Other users of this machine can look into it. */
  readonly openToOthers: boolean;
}

/** @param dataDir - Absolute. */
export async function lookAtDataFolder(
  files: UserFiles,
  dataDir: string,
): Promise<DataFolderFacts> {
  if (!files.exists(dataDir)) return { isNew: true, openToOthers: false };
  try {
    const { kind, openToOthers } = await files.read(dataDir, {
      fileBytesMax: 0,
      streamBytesMax: 0,
    });
    return { isNew: false, openToOthers: kind === "folder" && openToOthers };
  } catch (error) {
    // A fault in it is reported when it is opened.
    if (systemCode(error) === undefined) throw error;
    return { isNew: false, openToOthers: false };
  }
}
