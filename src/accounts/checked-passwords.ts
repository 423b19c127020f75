import { concatBytes, encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { Random } from "../ports/random.ts";
import type { AccountTable } from "../store/accounts.ts";
import { USER_NAME } from "./user-name.ts";

/** Passwords that are known to be right: some for each program of each account. */
const KNOWN_MAX = 200;
const SALT_BYTES = 32;

export interface CheckedPasswordsParts {
  readonly accounts: Pick<AccountTable, "passwordHash">;
  readonly passwords: PasswordHash;
  readonly random: Random;
}

/**
 * Judges passwords that programs send with each request. Judging one takes long on purpose, so a right one is known for
 * as long as the program runs, by a salted digest of it with the stored hash: with another password of the account it is
 * unknown at once. Wrong ones are judged each time.
 */
export class CheckedPasswords {
  readonly #parts: CheckedPasswordsParts;
  readonly #salt: Uint8Array;
  /** The one used last at the end. */
  readonly #known = new Set<string>();
  /** Requests of one program come together: they wait for one judgement. */
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(parts: CheckedPasswordsParts) {
    this.#parts = parts;
    this.#salt = parts.random.bytes(SALT_BYTES);
  }

  /** @param counted - Runs the judgement as a try that may have to wait; it is left out for what is known. */
  async check(
    name: string,
    password: string,
    counted: (judge: () => Promise<boolean>) => Promise<boolean>,
  ): Promise<boolean> {
    const { accounts, passwords } = this.#parts;
    const hash = USER_NAME.test(name) ? await accounts.passwordHash(name) : undefined;
    const key = this.#keyOf(name, password, hash ?? "");
    if (this.#known.delete(key)) {
      this.#known.add(key);
      return true;
    }
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const judging = counted(async () => {
      if (hash !== undefined) return passwords.verify(hash, password);
      // A name that nobody has takes the same time.
      await passwords.hash(password);
      return false;
    });
    this.#underWay.set(key, judging);
    try {
      const isRight = await judging;
      if (isRight) this.#keep(key);
      return isRight;
    } finally {
      this.#underWay.delete(key);
    }
  }

  #keep(key: string): void {
    this.#known.add(key);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN_MAX) this.#known.delete(oldest!);
  }

  #keyOf(name: string, password: string, hash: string): string {
    const text = JSON.stringify([name.toLowerCase(), hash, password]);
    return toHex(sha256(concatBytes([this.#salt, encodeUtf8(text)])));
  }
}
