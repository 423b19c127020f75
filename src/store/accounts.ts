export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
}

/** The token of a program. Times are ISO 8601 text. */
export interface TokenRow {
  readonly id: string;
  readonly name: string | null;
  /** Its first characters. */
  readonly start: string | null;
  readonly referenceId: string;
  /** JSON. */
  readonly permissions: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastRequest: string | null;
}

/** The queries that the room `accounts` makes besides those of the library that owns these tables. */
export interface AccountTable {
  /** False in a hub that is not set up yet. */
  hasAny(): Promise<boolean>;
  find(id: string): Promise<UserRow | undefined>;
  /** @param name - In any case of its letters. */
  findByName(name: string): Promise<UserRow | undefined>;
  /** Any account with all permissions. */
  findAdministrator(): Promise<UserRow | undefined>;
  /** All names, in order. */
  names(): Promise<string[]>;
  /** The current hash of an account's password. @param name - In any case of its letters. */
  passwordHash(name: string): Promise<string | undefined>;
  /**
   * Gives an account another password and ends its sessions, in one step.
   *
   * @returns False, and nothing is changed, when the password is no longer `change.from`.
   */
  setPassword(
    id: string,
    change: {
      /** The hash of the new password. */
      readonly hash: string;
      /** The hash to replace; `undefined` replaces any. */
      readonly from?: string | undefined;
      readonly wallMs: number;
    },
  ): Promise<boolean>;
  /** Ends the session of this token, if there is one. */
  deleteSession(token: string): Promise<void>;
  /** Newest first. */
  tokens(userId: string): Promise<TokenRow[]>;
  /** @returns False when the account has no such token. */
  deleteToken(userId: string, id: string): Promise<boolean>;
}
