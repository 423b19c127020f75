/** Random numbers as the engines see them; a simulation draws them from one seed. */
export interface Random {
  /** A whole number, 0 <= n < `bound`; `bound` at most 2^32. */
  below(bound: number): number;
  /** Fresh random bytes, fit for ids (from the operating system outside simulations). */
  bytes(length: number): Uint8Array;
}
