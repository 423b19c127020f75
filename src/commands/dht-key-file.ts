import { fromHex, toHex } from "../base/bytes.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures, SigningKey } from "../ports/signatures.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { CommandError } from "./command-error.ts";
import { readSecretLine, SecretFile } from "./secret-file.ts";

const SEED_BYTES = 32;

export interface KeyPorts {
  readonly files: UserFiles;
  readonly random: Random;
  readonly signatures: Signatures;
}

/**
 * Reads the key of a mutable item: the seed of Ed25519 in 64 hexadecimal digits. A file that is not there is created for
 * its owner only, with a new key.
 *
 * @throws {CommandError} `bad-plan` when the file holds something else; `not-readable`, `not-writable`.
 */
export async function openKeyFile(
  ports: KeyPorts,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly key: SigningKey; readonly isNew: boolean; readonly openToOthers: boolean }> {
  const known = await readSeed(ports.files, path, signal);
  if (known) {
    return {
      key: ports.signatures.keyFromSeed(known.seed),
      isNew: false,
      openToOthers: known.openToOthers,
    };
  }
  await using file = await SecretFile.create(ports.files, path);
  const seed = ports.random.bytes(SEED_BYTES);
  await file.fill(toHex(seed));
  return { key: ports.signatures.keyFromSeed(seed), isNew: true, openToOthers: false };
}

/** @returns `undefined` when the file is not there. */
async function readSeed(files: UserFiles, path: string, signal: AbortSignal) {
  try {
    const { secret, openToOthers } = await readSecretLine(files, path, signal);
    const seed = fromHex(secret);
    if (seed?.length === SEED_BYTES) return { seed, openToOthers };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === "not-found") return undefined;
    if (error.code !== "bad-plan") throw error;
  }
  throw new CommandError("bad-plan", `${path} holds no key. A key is 64 hexadecimal digits.`, {
    subject: path,
    hint: "a name that is not taken, and a new key is made there.",
  });
}
