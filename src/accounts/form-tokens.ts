import { encodeUtf8, equalBytes, toHex } from "../base/bytes.ts";
import { hmacSha256, sha256 } from "../base/hash.ts";
import type { Random } from "../ports/random.ts";
import { COOKIE_PREFIX } from "./auth-library.ts";
import type { Actor } from "./permissions.ts";

const FORM_COOKIE = `${COOKIE_PREFIX}.form`;
const CHANCE_BYTES = 16;
const SESSION = new RegExp(`(?:^|; *)(?:__Secure-)?${COOKIE_PREFIX}\\.session_token=([^;]+)`);
const FORM = new RegExp(`(?:^|; *)${FORM_COOKIE}=([0-9a-f]{${CHANCE_BYTES * 2}})(?:;|$)`);

export interface FormTokensOptions {
  readonly secret: string;
  /** Over https the cookie is `Secure`. */
  readonly siteUrl: string;
  readonly random: Random;
}

/**
 * Tokens in the forms of our pages. Another site, or another program on another port of this host, can send a form
 * here with the browser's cookies, but cannot read a page of ours to learn its token (HUB-4). A token belongs to a
 * session or, before there is one, to a random cookie.
 */
export class FormTokens {
  readonly #options: FormTokensOptions;

  constructor(options: FormTokensOptions) {
    this.#options = options;
  }

  /**
   * @param cookie - The `Cookie` header.
   * @returns The token for a page's forms, and the `Set-Cookie` header it needs, if any.
   */
  issue(
    actor: Actor,
    cookie: string | null,
  ): { readonly token: string; readonly cookies: readonly string[] } {
    const owner = ownerOf(actor, cookie);
    if (owner !== undefined) return { token: this.#seal(owner), cookies: [] };
    const fresh = toHex(this.#options.random.bytes(CHANCE_BYTES));
    const secure = this.#options.siteUrl.startsWith("https:") ? "; Secure" : "";
    const rules = `Path=/; HttpOnly; SameSite=Strict${secure}`;
    return { token: this.#seal(`form ${fresh}`), cookies: [`${FORM_COOKIE}=${fresh}; ${rules}`] };
  }

  /** Tells whether a form with this token came from a page of ours in this browser. */
  accepts(actor: Actor, cookie: string | null, token: string): boolean {
    const owner = ownerOf(actor, cookie);
    // Compares digests, so that the time taken does not reveal how much of a guess is right.
    return owner !== undefined && equalBytes(digest(this.#seal(owner)), digest(token));
  }

  #seal(owner: string): string {
    return toHex(hmacSha256(encodeUtf8(`${this.#options.secret} form tokens`), encodeUtf8(owner)));
  }
}

/** Names the owner of a form: a session, or a browser without one. */
function ownerOf(actor: Actor, cookie: string | null): string | undefined {
  const session = actor.kind === "user" ? SESSION.exec(cookie ?? "")?.[1] : undefined;
  if (session !== undefined) return `session ${session}`;
  const chance = FORM.exec(cookie ?? "")?.[1];
  return chance === undefined ? undefined : `form ${chance}`;
}

function digest(text: string): Uint8Array {
  return sha256(encodeUtf8(text));
}
