import { decodeUtf8, encodeUtf8, toHex } from "../base/bytes.ts";
import type { Files } from "../ports/files.ts";
import type { Random } from "../ports/random.ts";

const SECRET_BYTES = 32;
const SECRET = /^[0-9a-f]{64}$/;

/**
 * Loads the secret that signs sessions, or creates it at the first start. A damaged file is set aside, not overwritten
 * (STO-3): then everybody has to sign in again.
 *
 * @param path - Absolute.
 */
export async function loadSessionSecret(
  files: Pick<Files, "read" | "write" | "move">,
  random: Pick<Random, "bytes">,
  path: string,
): Promise<string> {
  const known = await files.read(path);
  if (known) {
    const secret = decodeUtf8(known).trim();
    if (SECRET.test(secret)) return secret;
    await files.move(path, `${path}.unreadable`);
  }
  const secret = toHex(random.bytes(SECRET_BYTES));
  await files.write(path, encodeUtf8(`${secret}\n`));
  return secret;
}
