import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import type { PasswordHash } from "../ports/password-hash.ts";

// OWASP's first choice for argon2id: 19 MiB, two passes, one lane; about 45 ms.
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
// Limits on the parameters of a stored hash. Hashes come from our own database, but their
// parameters decide how much memory we allocate.
const MEMORY_KIB_MAX = 262_144;
const PASSES_MAX = 16;
/**
 * Hashes computed at the same time: each takes memory and one of the four threads that also serve
 * files.
 */
const PARALLEL_MAX = 2;

const PHC =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{43})$/;

/** Computes argon2id (RFC 9106) with Node's own crypto. */
export class Argon2Hash implements PasswordHash {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const tag = await this.#derive(password, salt, {
      memory: MEMORY_KIB,
      passes: PASSES,
      parallelism: LANES,
    });
    const settings = `m=${MEMORY_KIB},t=${PASSES},p=${LANES}`;
    return `$argon2id$v=19$${settings}$${unpadded(salt)}$${unpadded(tag)}`;
  }

  async verify(hash: string, password: string): Promise<boolean> {
    const match = PHC.exec(hash);
    if (!match) return false;
    const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
    if (memory > MEMORY_KIB_MAX || passes > PASSES_MAX) return false;
    const salt = Buffer.from(match[4]!, "base64");
    const tag = await this.#derive(password, salt, { memory, passes, parallelism });
    return timingSafeEqual(tag, Buffer.from(match[5]!, "base64"));
  }

  async #derive(
    password: string,
    nonce: Buffer,
    settings: { memory: number; passes: number; parallelism: number },
  ): Promise<Buffer> {
    if (this.#running >= PARALLEL_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        argon2(
          "argon2id",
          { ...settings, message: password.normalize("NFKC"), nonce, tagLength: TAG_BYTES },
          (error, tag) => (error ? reject(error) : resolve(tag)),
        );
      });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
