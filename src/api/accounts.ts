import { z } from "zod";

export const PASSWORD_CHARACTERS_MIN = 10;
export const PASSWORD_CHARACTERS_MAX = 256;
export const USER_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$/;

const nameSchema = z
  .string()
  .regex(USER_NAME_PATTERN, "2 to 32 letters, digits, dots, dashes or underscores");
const passwordSchema = z.string().min(PASSWORD_CHARACTERS_MIN).max(PASSWORD_CHARACTERS_MAX);

/** `POST /api/v1/setup`: makes the administrator; works once, from loopback only (HUB-1). */
export const setupInputSchema = z
  .object({
    /** The one-time key the terminal printed. */
    key: z.string().max(200),
    name: nameSchema,
    password: passwordSchema,
    siteName: z.string().min(1).max(100).optional(),
  })
  .meta({ id: "SetupInput" });

/** `POST /api/v1/session`. */
export const signInInputSchema = z
  .object({ name: z.string().max(200), password: z.string().max(PASSWORD_CHARACTERS_MAX) })
  .meta({ id: "SignInInput" });

/** `POST /api/v1/password`: ends all other sessions (HUB-10). */
export const passwordInputSchema = z
  .object({ current: z.string().max(PASSWORD_CHARACTERS_MAX), password: passwordSchema })
  .meta({ id: "PasswordInput" });

export const userSchema = z
  .object({ id: z.string(), name: z.string(), role: z.enum(["admin", "member"]) })
  .meta({ id: "User" });

/** `GET /api/v1/session`: the signed-in user. */
export const sessionSchema = z.object({ user: userSchema.nullable() }).meta({ id: "Session" });

/** Permissions of a token: `publish` uploads and sees its own uploads; `admin` may do everything its owner may. */
export const tokenScopeSchema = z.enum(["publish", "admin"]);

export const TOKEN_DAYS_MAX = 366;

/** `POST /api/v1/tokens`. */
export const tokenInputSchema = z
  .object({
    name: z.string().min(1).max(60),
    scope: tokenScopeSchema.default("publish"),
    expiresInDays: z.number().int().min(1).max(TOKEN_DAYS_MAX).default(90),
  })
  .meta({ id: "TokenInput" });

export const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    /** The first characters, to tell tokens apart. */
    start: z.string(),
    scope: tokenScopeSchema,
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Token" });

/** The only answer that ever contains the token itself (HUB-24). */
export const createdTokenSchema = tokenSchema
  .extend({ token: z.string() })
  .meta({ id: "CreatedToken" });

export const tokenListSchema = z.object({ tokens: z.array(tokenSchema) }).meta({ id: "TokenList" });

/** One session that is still valid. */
export const sessionEntrySchema = z
  .object({
    id: z.string(),
    current: z.boolean(),
    userAgent: z.string().nullable(),
    address: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
  })
  .meta({ id: "SessionEntry" });

export type User = z.infer<typeof userSchema>;
export type Token = z.infer<typeof tokenSchema>;
export type SessionEntry = z.infer<typeof sessionEntrySchema>;
