/** A key of Ed25519 (RFC 8032), which is made from its seed of 32 bytes. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** @returns 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Signatures by Ed25519. Synchronous: one takes some tens of microseconds. */
export interface Signatures {
  /** @param seed - 32 secret bytes. */
  keyFromSeed(seed: Uint8Array): SigningKey;
  /** @returns False also for a key or a signature of a wrong length, or one that is no point of the curve. */
  verify(
    message: Uint8Array,
    proof: { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
  ): boolean;
}
