import type { Log } from "../ports/log.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { SqlDatabase } from "../store/store.ts";

export const COOKIE_PREFIX = "everseed";
/** Every API token begins with it. */
export const TOKEN_PREFIX = "ever_";
/** A session ends after this long without use; use renews it at most once a day. */
const IDLE_SECONDS = 14 * 86_400;
const TOUCH_SECONDS = 86_400;
const TOKEN_START_CHARACTERS = 11;
const TOKEN_DAYS_MAX = 366;

export interface AuthLibraryOptions {
  readonly db: SqlDatabase;
  /** Signs session cookies. */
  readonly secret: string;
  /** Address of the site; over https the cookies are `Secure`. */
  readonly siteUrl: string;
  readonly passwords: PasswordHash;
  readonly log: Log;
  readonly passwordCharacters: { readonly min: number; readonly max: number };
}

/**
 * Configures better-auth. It is loaded only here, the first time somebody signs in or shows a credential, because
 * loading takes longer than the rest of the start together.
 */
export async function loadAuthLibrary(options: AuthLibraryOptions) {
  const [{ betterAuth }, { username }, { admin }, { apiKey }] = await Promise.all([
    import("better-auth"),
    import("better-auth/plugins/username"),
    import("better-auth/plugins/admin"),
    import("@better-auth/api-key"),
  ]);
  const { passwords, log } = options;
  return betterAuth({
    database: { db: options.db, type: "sqlite" },
    secret: options.secret,
    baseURL: options.siteUrl,
    telemetry: { enabled: false },
    // `sign-in-guard.ts` slows guessing down for every way to sign in.
    rateLimit: { enabled: false },
    logger: {
      level: "warn",
      log: (level, message, ...details) => {
        log[isOurFault(level, details) ? "error" : "debug"](`accounts: ${message}`);
      },
    },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: options.siteUrl.startsWith("https:"),
    },
    session: { expiresIn: IDLE_SECONDS, updateAge: TOUCH_SECONDS, freshAge: 0 },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: options.passwordCharacters.min,
      maxPasswordLength: options.passwordCharacters.max,
      password: {
        hash: (password) => passwords.hash(password),
        verify: ({ hash, password }) => passwords.verify(hash, password),
      },
    },
    plugins: [
      username({ usernameValidator: () => true, minUsernameLength: 2, maxUsernameLength: 32 }),
      admin(),
      apiKey({
        defaultPrefix: TOKEN_PREFIX,
        keyExpiration: { maxExpiresIn: TOKEN_DAYS_MAX, minExpiresIn: 1 },
        startingCharactersConfig: { charactersLength: TOKEN_START_CHARACTERS },
        rateLimit: { enabled: false },
      }),
    ],
  });
}

/**
 * The library warns of wrong passwords, names and tokens. Accounts logs those itself. The library also reports a
 * refused token as an error with a status below 500.
 */
function isOurFault(level: string, details: readonly unknown[]): boolean {
  return level === "error" && !details.some(isRefusal);
}

/** The library refuses with an error that carries an HTTP status below 500. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode < 500
  );
}

export type AuthLibrary = Awaited<ReturnType<typeof loadAuthLibrary>>;
