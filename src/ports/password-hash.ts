/** Slow on purpose; runs off the main thread. */
export interface PasswordHash {
  /** @returns A text that holds all settings and the salt (PHC string format). */
  hash(password: string): Promise<string>;
  /** @returns False for a wrong password and for a text that is no hash. */
  verify(hash: string, password: string): Promise<boolean>;
}
