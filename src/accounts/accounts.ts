import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { Random } from "../ports/random.ts";
import type { AccountTable } from "../store/accounts.ts";
import type { SettingsTable } from "../store/settings.ts";
import type { SqlDatabase } from "../store/store.ts";
import { AccountsError } from "./accounts-error.ts";
import {
  type AuthLibrary,
  COOKIE_PREFIX,
  isRefusal,
  loadAuthLibrary,
  TOKEN_PREFIX,
} from "./auth-library.ts";
import { CheckedPasswords } from "./checked-passwords.ts";
import { checkName, checkPassword, PASSWORD_CHARACTERS } from "./credential-rules.ts";
import { FailedSignIns } from "./failed-sign-ins.ts";
import { FormTokens } from "./form-tokens.ts";
import { KnownBrowsers } from "./known-browsers.ts";
import { replacePassword, signInUnchanged } from "./password-change.ts";
import { resetPassword } from "./password-reset.ts";
import { type Actor, STRANGER } from "./permissions.ts";
import { SetupGate } from "./setup-gate.ts";
import { SetupLink } from "./setup-link.ts";
import { type OpenTry, SignInGuard, type SignInTry } from "./sign-in-guard.ts";
import { USER_NAME } from "./user-name.ts";

/** A session ends after this long, however much it is used. */
const SESSION_MS_MAX = 90 * 86_400_000;
const TOKENS_MAX = 50;
const DAY_SECONDS = 86_400;
// We send no mail, but the library requires an address for everybody; this top-level domain never exists.
const MAIL_DOMAIN = "users.invalid";

export interface AccountsOptions {
  /** For the library of accounts and sessions, which has its own tables there. */
  readonly db: SqlDatabase;
  readonly accounts: AccountTable;
  readonly settings: SettingsTable;
  readonly secret: string;
  readonly siteUrl: string;
  readonly passwords: PasswordHash;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The credentials in a request. */
export interface Credentials {
  readonly cookie: string | null;
  /** The `Authorization` header. */
  readonly authorization: string | null;
  readonly userAgent: string | null;
  readonly address: string;
}

/** A result with cookies that renew or end the session. */
export interface WithCookies<T> {
  readonly value: T;
  /** `Set-Cookie` headers to send. */
  readonly cookies: readonly string[];
}

export type TokenScope = "publish" | "admin";

export interface TokenFacts {
  readonly id: string;
  readonly name: string;
  readonly start: string;
  readonly scope: TokenScope;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly lastUsedMs: number | null;
}

export interface SessionFacts {
  readonly id: string;
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly address: string | null;
  readonly createdMs: number;
  readonly lastSeenMs: number;
}

/** People: how they sign in, and their sessions and tokens. */
export class Accounts {
  /** Tokens of the forms on pages. */
  readonly forms: FormTokens;
  readonly #options: AccountsOptions;
  readonly #guard = new SignInGuard();
  readonly #failures: FailedSignIns;
  readonly #browsers: KnownBrowsers;
  readonly #checked: CheckedPasswords;
  #library: Promise<AuthLibrary> | undefined;
  readonly #link: SetupLink;
  #gate: SetupGate | undefined;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#failures = new FailedSignIns(options.clock, options.log);
    this.#browsers = new KnownBrowsers(options);
    this.#checked = new CheckedPasswords(options);
    this.forms = new FormTokens(options);
    this.#link = new SetupLink(options.settings, options.clock);
  }

  /** Opens setup when there is no administrator yet. @returns Its key; `undefined` when set up already. */
  async openSetup(): Promise<string | undefined> {
    if (await this.hasAny()) return undefined;
    this.#gate ??= new SetupGate(this.#options.clock, this.#options.random);
    return this.#gate.key;
  }

  /**
   * Makes a key for a person with access to the data folder: with it, `setUp` gives an account a new password, or
   * makes another administrator.
   */
  makeSetupLink(): Promise<string> {
    return this.#link.make(this.#options.random);
  }

  /** True while the key of a setup link may be used. */
  isLinkOpen(): Promise<boolean> {
    return this.#link.isOpen();
  }

  /** True until there is an administrator. */
  get setupOpen(): boolean {
    return this.#gate !== undefined;
  }

  /**
   * Makes the administrator with the terminal's key and signs in. With the key of a setup link, an existing account
   * of that name gets the password, and its sessions end.
   *
   * @throws {AccountsError} (rejects) `setup-done`, `wrong-setup-key`, `bad-name`, `weak-password`.
   */
  async setUp(
    input: { key: string; name: string; password: string },
    credentials: Credentials,
  ): Promise<WithCookies<Actor>> {
    const gate = this.#gate;
    if (await this.#link.accepts(input.key)) return this.#setUpByLink(input, credentials);
    if (!gate && !(await this.#link.isOpen())) {
      throw new AccountsError("setup-done", "This hub has its administrator already.");
    }
    if (!gate?.accepts(input.key)) {
      this.#failures.handle({ address: credentials.address, why: "wrong setup key" });
      throw new AccountsError("wrong-setup-key", "This setup key is wrong, used or too old.");
    }
    checkName(input.name);
    checkPassword(input.password, input.name);
    gate.use();
    try {
      await this.createAdministrator(input.name, input.password);
    } catch (error) {
      gate.unuse();
      throw error;
    }
    return this.signIn(input.name, input.password, credentials);
  }

  /**
   * Makes the administrator without a key, for a person with access to the data folder.
   *
   * @returns The id of the account.
   */
  async createAdministrator(name: string, password: string): Promise<string> {
    if (await this.hasAny()) {
      throw new AccountsError("setup-done", "This hub has its administrator already.");
    }
    return this.#addAdministrator(name, password);
  }

  /** Gives an account a new password (`password-reset.ts`). */
  resetPassword(name: string, password: string): Promise<void> {
    return resetPassword(this.#options, name, password);
  }

  /** All names, for a person with access to the data folder. */
  names(): Promise<string[]> {
    return this.#options.accounts.names();
  }

  async #setUpByLink(
    input: { key: string; name: string; password: string },
    credentials: Credentials,
  ): Promise<WithCookies<Actor>> {
    const { key, name, password } = input;
    checkName(name);
    checkPassword(password, name);
    if (!(await this.#link.use(key))) {
      throw new AccountsError("wrong-setup-key", "This setup key is wrong, used or too old.");
    }
    if ((await this.#options.accounts.findByName(name)) === undefined)
      await this.#addAdministrator(name, password);
    else await this.resetPassword(name, password);
    return this.signIn(name, password, credentials);
  }

  async #addAdministrator(name: string, password: string): Promise<string> {
    checkName(name);
    checkPassword(password, name);
    const library = await this.#load();
    const { user } = await library.api.createUser({
      body: {
        email: `${name.toLowerCase()}@${MAIL_DOMAIN}`,
        name,
        password,
        role: "admin",
        data: { username: name.toLowerCase(), displayUsername: name },
      },
    });
    this.#gate = undefined;
    return user.id;
  }

  /** @throws {AccountsError} (rejects) `wrong-password`, `wait`, `busy`: one text for every reason (HUB-9). */
  async signIn(
    name: string,
    password: string,
    credentials: Credentials,
  ): Promise<WithCookies<Actor>> {
    const { cookie, address } = credentials;
    const browser = this.#browsers.find(cookie, name);
    const attempt = this.#beginTry({ name, address, browser });
    const signedIn = await judged(attempt, this.#openSession(name, password, credentials));
    if (!signedIn) {
      this.#failures.handle({ name, address, why: "wrong name or password" });
      throw new AccountsError("wrong-password", "Name or password is wrong.");
    }
    const { headers, response } = signedIn;
    const cookies = [...headers.getSetCookie(), ...this.#browsers.remember(cookie, name)];
    return { value: userActor(response.user, "session"), cookies };
  }

  /**
   * Identifies a program that sends a name and a password with each request; no session begins. An API token is taken
   * for the password, with any name.
   *
   * @throws {AccountsError} (rejects) As `signIn`.
   */
  async identifyByPassword(
    name: string,
    password: string,
    credentials: Credentials,
  ): Promise<Actor> {
    if (password.startsWith(TOKEN_PREFIX)) {
      return (await this.identify({ ...credentials, authorization: `Bearer ${password}` })).value;
    }
    const isRight = await this.#checked.check(name, password, async (judge) => {
      const { address } = credentials;
      const attempt = this.#beginTry({ name, address, browser: undefined });
      const right = await judged(attempt, judge());
      if (!right) this.#failures.handle({ name, address, why: "wrong name or password" });
      return right;
    });
    const user = isRight ? await this.#options.accounts.findByName(name) : undefined;
    if (!user) throw new AccountsError("wrong-password", "Name or password is wrong.");
    return userActor(user, "session");
  }

  /** @returns `undefined` for a wrong name or password. */
  async #openSession(name: string, password: string, credentials: Credentials) {
    const library = await this.#load();
    const { accounts } = this.#options;
    const begin = () =>
      library.api.signInUsername({
        // An impossible name takes the same path, so that it takes the same time.
        body: { username: USER_NAME.test(name) ? name : "no-such-name", password },
        headers: asHeaders({ ...credentials, cookie: null }),
        returnHeaders: true,
      });
    try {
      // A sign-in with the new password at the moment of the change succeeds all the same.
      return (
        (await signInUnchanged(accounts, name, begin)) ??
        (await signInUnchanged(accounts, name, begin))
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return undefined;
    }
  }

  /** @throws {AccountsError} `wait`, `busy`. */
  #beginTry(attempt: SignInTry): OpenTry {
    const outcome = this.#guard.begin(attempt, this.#options.clock.nowMs());
    if (outcome.kind === "open") return outcome.attempt;
    const message =
      outcome.kind === "wait"
        ? "Too many wrong tries. Wait a little, then try again."
        : "Many people are signing in. Try again in a moment.";
    const why = outcome.kind === "wait" ? "too many wrong tries" : "too many tries at once";
    this.#failures.handle({ name: attempt.name, address: attempt.address, why });
    throw new AccountsError(outcome.kind, message, outcome.waitMs);
  }

  /** Identifies the user by session cookie or by API token in the `Authorization` header, never by the address. */
  async identify(credentials: Credentials): Promise<WithCookies<Actor>> {
    const token = bearerToken(credentials.authorization);
    if (token !== undefined) {
      const value = await this.#byToken(token);
      if (value.kind === "stranger") {
        this.#failures.handle({ address: credentials.address, why: "unknown or expired token" });
      }
      return { value, cookies: [] };
    }
    if (!hasSessionCookie(credentials.cookie)) return { value: STRANGER, cookies: [] };
    const library = await this.#load();
    const request = { headers: asHeaders(credentials), returnHeaders: true } as const;
    const { headers, response } = await library.api.getSession(request);
    const cookies = headers.getSetCookie();
    if (!response) return { value: STRANGER, cookies };
    const age = this.#options.clock.wallMs() - response.session.createdAt.getTime();
    if (age > SESSION_MS_MAX) return { value: STRANGER, cookies: await this.signOut(credentials) };
    return { value: userActor(response.user, "session"), cookies };
  }

  /** @returns The cookies that end the session in the browser. */
  async signOut(credentials: Credentials): Promise<readonly string[]> {
    if (!hasSessionCookie(credentials.cookie)) return [];
    const library = await this.#load();
    const { headers } = await library.api.signOut({
      headers: asHeaders(credentials),
      returnHeaders: true,
    });
    return headers.getSetCookie();
  }

  /** Sets a new password and ends all other sessions (HUB-10). */
  async changePassword(
    actor: Actor & { kind: "user" },
    input: { current: string; password: string },
    credentials: Credentials,
  ): Promise<readonly string[]> {
    checkPassword(input.password, actor.name);
    // Tries of strangers do not delay a user with a session.
    const browser = { id: `session of ${actor.id}` };
    const attempt = this.#beginTry({ name: actor.name, address: credentials.address, browser });
    const isChanged = await judged(attempt, replacePassword(this.#options, actor, input));
    const signedIn =
      isChanged && (await this.#openSession(actor.name, input.password, credentials));
    if (signedIn) return signedIn.headers.getSetCookie();
    const { address } = credentials;
    this.#failures.handle({ name: actor.name, address, why: "wrong current password" });
    throw new AccountsError("wrong-password", "The current password is wrong.");
  }

  async sessions(credentials: Credentials): Promise<SessionFacts[]> {
    const library = await this.#load();
    const headers = asHeaders(credentials);
    const current = await library.api.getSession({ headers });
    const sessions = await library.api.listSessions({ headers });
    return sessions.map((session) => ({
      id: session.id,
      current: session.id === current?.session.id,
      userAgent: session.userAgent ?? null,
      address: session.ipAddress || null,
      createdMs: session.createdAt.getTime(),
      lastSeenMs: session.updatedAt.getTime(),
    }));
  }

  /**
   * Ends one of the caller's own sessions.
   *
   * @returns The cookies of a sign-out when it was the caller's current session.
   */
  async endSession(id: string, credentials: Credentials): Promise<readonly string[] | undefined> {
    const library = await this.#load();
    const headers = asHeaders(credentials);
    const current = await library.api.getSession({ headers });
    if (current?.session.id === id) return this.signOut(credentials);
    const session = (await library.api.listSessions({ headers })).find((entry) => entry.id === id);
    if (!session) throw new AccountsError("not-found", "This session has ended already.");
    await library.api.revokeSession({ body: { token: session.token }, headers });
    return undefined;
  }

  /** Makes a token. The result is the only place that holds it: the database has its hash (HUB-24). */
  async createToken(
    userId: string,
    input: { name: string; scope: TokenScope; expiresInDays: number },
  ): Promise<TokenFacts & { readonly token: string }> {
    const library = await this.#load();
    if ((await this.tokens(userId)).length >= TOKENS_MAX) {
      throw new AccountsError("too-many-tokens", `There are ${TOKENS_MAX} tokens already.`);
    }
    const created = await library.api.createApiKey({
      body: {
        name: input.name,
        expiresIn: input.expiresInDays * DAY_SECONDS,
        userId,
        permissions: { hub: [input.scope] },
      },
    });
    return { ...tokenFacts(created), token: created.key };
  }

  /** Newest first. */
  async tokens(userId: string): Promise<TokenFacts[]> {
    const rows = await this.#options.accounts.tokens(userId);
    return rows.map((row) =>
      tokenFacts({ ...row, permissions: JSON.parse(row.permissions ?? "{}") as Permissions }),
    );
  }

  async revokeToken(userId: string, id: string): Promise<void> {
    const isGone = await this.#options.accounts.deleteToken(userId, id);
    if (!isGone) throw new AccountsError("not-found", "There is no such token.");
  }

  async #byToken(token: string): Promise<Actor> {
    const library = await this.#load();
    const { key } = await library.api.verifyApiKey({ body: { key: token } });
    if (!key) return STRANGER;
    const owner = await this.#options.accounts.find(key.referenceId);
    if (!owner) return STRANGER;
    const scope = scopeOf(key.permissions);
    return userActor(owner, scope === "admin" ? "admin-token" : "publish-token");
  }

  /** Writes the pending lines of the log. */
  close(): void {
    this.#failures.close();
  }

  /** False until there is an account. */
  hasAny(): Promise<boolean> {
    return this.#options.accounts.hasAny();
  }

  #load(): Promise<AuthLibrary> {
    this.#library ??= loadAuthLibrary({
      ...this.#options,
      passwordCharacters: PASSWORD_CHARACTERS,
    });
    return this.#library;
  }
}

/**
 * Tells the guard how a try ended: any value means a right password; `undefined`, false or an error mean a wrong one.
 */
async function judged<Found>(attempt: OpenTry, judging: Promise<Found>): Promise<Found> {
  let found: Found | undefined;
  try {
    found = await judging;
    return found;
  } finally {
    if (found) attempt.handleRight();
    else attempt.handleWrong();
  }
}

type Permissions = Record<string, string[]>;

function userActor(
  user: { id: string; name: string; role?: string | null | undefined },
  by: (Actor & { kind: "user" })["by"],
): Actor {
  return {
    kind: "user",
    id: user.id,
    name: user.name,
    role: user.role === "admin" ? "admin" : "member",
    by,
  };
}

function tokenFacts(token: {
  id: string;
  name: string | null;
  start: string | null;
  permissions?: Permissions | null | undefined;
  createdAt: Instant;
  expiresAt: Instant | null;
  lastRequest: Instant | null;
}): TokenFacts {
  return {
    id: token.id,
    name: token.name ?? "",
    start: token.start ?? "",
    scope: scopeOf(token.permissions),
    createdMs: instantMs(token.createdAt),
    expiresMs: token.expiresAt === null ? 0 : instantMs(token.expiresAt),
    lastUsedMs: token.lastRequest === null ? null : instantMs(token.lastRequest),
  };
}

function scopeOf(permissions: Permissions | null | undefined): TokenScope {
  return permissions?.["hub"]?.includes("admin") ? "admin" : "publish";
}

/** A `Date` from the library, or its text in the database. */
type Instant = string | { getTime(): number };

function instantMs(instant: Instant): number {
  return typeof instant === "string"
    ? Temporal.Instant.from(instant).epochMilliseconds
    : instant.getTime();
}

function bearerToken(authorization: string | null): string | undefined {
  return authorization === null
    ? undefined
    : (/^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization)?.[1] ?? "");
}

function hasSessionCookie(cookie: string | null): cookie is string {
  return cookie?.includes(`${COOKIE_PREFIX}.session_token=`) ?? false;
}

/** Only facts we vouch for: the address is that of the socket, not of a header (TRK-2). */
function asHeaders(credentials: Credentials): Headers {
  const headers = new Headers({ "x-forwarded-for": credentials.address });
  if (credentials.cookie !== null) headers.set("cookie", credentials.cookie);
  if (credentials.userAgent !== null)
    headers.set("user-agent", credentials.userAgent.slice(0, 300));
  return headers;
}
