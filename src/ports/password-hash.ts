/** Hashes passwords. Slow on purpose; runs off the main thread. */
export interface PasswordHash {
  /** @returns A string with all settings and the salt (PHC string format). */
  hash(password: string): Promise<string>;
  /** @returns False for a wrong password, and for a string that is not a hash. */
  verify(hash: string, password: string): Promise<boolean>;
}
