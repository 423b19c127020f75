import type { Credential } from "../announce/credential.ts";
import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { KnownPrincipal } from "./principal.ts";

/**
 * Who has which credential, in memory, told of each change. It knows digests only, as whatever stores them should: how
 * long a search takes says nothing of a credential, and a copy of the memory or the database opens nothing (TRK-13).
 */
export class Keyring {
  readonly #principals = new Map<string, KnownPrincipal>();

  find(credential: Credential): KnownPrincipal | undefined {
    return this.#principals.get(credentialDigest(credential));
  }

  /** @param digest - Of the credential, by `credentialDigest`. */
  set(digest: string, principal: KnownPrincipal): void {
    this.#principals.set(digest, principal);
  }

  /** From now on nobody has this credential. */
  delete(digest: string): void {
    this.#principals.delete(digest);
  }
}

/** What is kept of a credential: SHA-256 in hexadecimal. Its text is random and long, so that nobody can guess it from that. */
export function credentialDigest({ kind, text }: Credential): string {
  return toHex(sha256(encodeUtf8(`${kind}:${text}`)));
}
