import type { Credential } from "../announce/credential.ts";
import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { KnownPrincipal } from "./principal.ts";

/**
 * Maps credentials to their owners, in memory, and is updated on each change. It holds only
 * digests, as the database should: the time of a search reveals nothing about a credential, and a
 * copy of the memory or the database opens nothing (TRK-13).
 */
export class Keyring {
  readonly #principals = new Map<string, KnownPrincipal>();

  find(credential: Credential): KnownPrincipal | undefined {
    return this.#principals.get(credentialDigest(credential));
  }

  /** @param digest - The credential's digest, from `credentialDigest`. */
  set(digest: string, principal: KnownPrincipal): void {
    this.#principals.set(digest, principal);
  }

  /** Revokes the credential. */
  delete(digest: string): void {
    this.#principals.delete(digest);
  }
}

/**
 * The stored form of a credential: SHA-256 in hexadecimal. A credential is long and random, so its
 * digest cannot be guessed back.
 */
export function credentialDigest({ kind, text }: Credential): string {
  return toHex(sha256(encodeUtf8(`${kind}:${text}`)));
}
