import { encodeUtf8, equalBytes, toHex } from "../base/bytes.ts";
import { hmacSha256, sha256 } from "../base/hash.ts";
import type { Random } from "../ports/random.ts";
import { COOKIE_PREFIX } from "./auth-library.ts";

/** A browser that proves an earlier sign-in with the given name. */
export interface KnownBrowser {
  /** Fixed in size; the same for as long as the browser keeps its cookie. */
  readonly id: string;
}

export const DEVICE_COOKIE = `${COOKIE_PREFIX}.device`;
const COOKIE_S = 365 * 86_400;
/** People who share a browser. */
const NAMES_MAX = 4;
const NAME_BYTES = 8;
const ID_BYTES = 12;
const MAC_BYTES = 16;
/** The digits of one mark: a digest of the name, random bytes, and the seal over both. */
const MARK = new RegExp(`^[0-9a-f]{${2 * (NAME_BYTES + ID_BYTES + MAC_BYTES)}}$`);

export interface KnownBrowsersOptions {
  readonly secret: string;
  /** Over https the cookie is `Secure`. */
  readonly siteUrl: string;
  readonly random: Random;
}

/**
 * The cookie by which a browser proves an earlier sign-in. It grants no access: it only spares its holder the delays
 * that strangers cause by guessing at the name (HUB-9). It contains no name, and outlives sessions.
 */
export class KnownBrowsers {
  readonly #options: KnownBrowsersOptions;

  constructor(options: KnownBrowsersOptions) {
    this.#options = options;
  }

  /** @param cookie - The `Cookie` header. */
  find(cookie: string | null, name: string): KnownBrowser | undefined {
    const wanted = nameDigest(name);
    const mark = this.#marks(cookie).find((each) => each.startsWith(wanted));
    return mark === undefined ? undefined : { id: mark.slice(0, 2 * (NAME_BYTES + ID_BYTES)) };
  }

  /** @returns The `Set-Cookie` header after this name signed in; empty when the browser has the mark already. */
  remember(cookie: string | null, name: string): readonly string[] {
    if (this.find(cookie, name)) return [];
    const fresh = `${nameDigest(name)}${toHex(this.#options.random.bytes(ID_BYTES))}`;
    const marks = [`${fresh}${this.#seal(fresh)}`, ...this.#marks(cookie)].slice(0, NAMES_MAX);
    const secure = this.#options.siteUrl.startsWith("https:") ? "; Secure" : "";
    const rules = `Max-Age=${COOKIE_S}; Path=/; HttpOnly; SameSite=Lax${secure}`;
    return [`${DEVICE_COOKIE}=${marks.join(".")}; ${rules}`];
  }

  /** The marks that we made. */
  #marks(cookie: string | null): string[] {
    const value = new RegExp(`(?:^|; *)${DEVICE_COOKIE}=([0-9a-f.]{1,400})(?:;|$)`).exec(
      cookie ?? "",
    )?.[1];
    const marks = value?.split(".").slice(0, NAMES_MAX) ?? [];
    return marks.filter((mark) => {
      if (!MARK.test(mark)) return false;
      const facts = mark.slice(0, -2 * MAC_BYTES);
      // Compares digests, so that the time taken does not reveal how much of a guess is right.
      return equalBytes(digest(this.#seal(facts)), digest(mark.slice(-2 * MAC_BYTES)));
    });
  }

  #seal(facts: string): string {
    const key = encodeUtf8(`${this.#options.secret} known browsers`);
    return toHex(hmacSha256(key, encodeUtf8(facts)).subarray(0, MAC_BYTES));
  }
}

function nameDigest(name: string): string {
  return toHex(digest(name.toLowerCase()).subarray(0, NAME_BYTES));
}

function digest(text: string): Uint8Array {
  return sha256(encodeUtf8(text));
}
