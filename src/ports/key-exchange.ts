/** Bytes of a public key, and of a shared secret. */
export const EXCHANGE_KEY_BYTES = 96;

/**
 * The Diffie-Hellman key exchange of message stream encryption: generator 2, and the prime of 768 bits that all programs
 * use. Each call takes about a tenth of a millisecond of the caller's thread; `mse/exchange-turns.ts` bounds how many.
 */
export interface KeyExchange {
  /**
   * @param privateKey - Big-endian; 20 bytes by custom.
   * @returns 96 bytes, big-endian, with zeros on the left.
   */
  publicKey(privateKey: Uint8Array): Uint8Array;
  /**
   * @param publicKey - The peer's, 96 bytes. The caller has refused those below 2 and above the prime less 2.
   * @returns 96 bytes, big-endian, with zeros on the left.
   */
  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}
