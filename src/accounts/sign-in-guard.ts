import { lineOf, SITE_SHARES, siteOf } from "../base/address-line.ts";
import { sha256 } from "../base/hash.ts";
import { encodeUtf8, toHex } from "../base/bytes.ts";
import type { KnownBrowser } from "./known-browsers.ts";
import { USER_NAME } from "./user-name.ts";

/** The delays of one kind of key. */
interface Pace {
  /** Wrong tries without a delay: people mistype. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly waitMsMax: number;
  /** The time after which one wrong try is forgiven. */
  readonly forgivenMs: number;
}

// An address that guesses is slowed down hard. A name that is guessed at from many addresses is slowed down too, but
// not for a browser or address that signed in with this name before.
const ADDRESS_PACE: Pace = {
  free: 5,
  firstWaitMs: 1_000,
  waitMsMax: 15 * 60_000,
  forgivenMs: 10 * 60_000,
};
/** All addresses of an IPv6 /48 together (TRK-23). */
const SITE_PACE: Pace = {
  ...ADDRESS_PACE,
  free: ADDRESS_PACE.free * SITE_SHARES,
  forgivenMs: ADDRESS_PACE.forgivenMs / SITE_SHARES,
};
const NAME_PACE: Pace = { free: 20, firstWaitMs: 1_000, waitMsMax: 10_000, forgivenMs: 30_000 };

/** Entries of each table: a stranger who fills one table pushes nothing out of another. */
const ENTRIES_MAX = 20_000;
/** How long an address is known after a sign-in. */
const HOME_MS = 30 * 86_400_000;
/** Tries of one address or browser that are judged at one time. */
const UNDER_WAY_EACH = 2;
/** Tries that are judged at one time: of strangers, and of known browsers and addresses. */
const UNDER_WAY_STRANGERS = 24;
const UNDER_WAY_KNOWN = 8;
/** The wait when a try of the same address is being judged, or very many are. */
const BUSY_MS = 1_000;
const KEY_BYTES = 16;

export interface SignInTry {
  /** As typed. */
  readonly name: string;
  readonly address: string;
  /** The browser, when it proves an earlier sign-in with this name. */
  readonly browser: KnownBrowser | undefined;
}

/** A try that is being judged. Call exactly one of the two methods, once. */
export interface OpenTry {
  /** The password was right: the try does not count. */
  handleRight(): void;
  handleWrong(): void;
}

export type TryOutcome =
  | { readonly kind: "open"; readonly attempt: OpenTry }
  /** Not judged. `busy`: because of other tries at this moment. */
  | { readonly kind: "wait" | "busy"; readonly waitMs: number };

/** A counter that a try is charged to. */
interface Account {
  readonly table: TryTable;
  readonly key: string;
}

/**
 * Slows down the guessing of passwords (HUB-9). A machine: `now` is monotonic. A try counts before its password is
 * judged, so that a hundred at once wait like a hundred in a row; a right one is given back. There are two lanes:
 * strangers count against their address, its IPv6 site and the name; a browser or address that signed in with this name before
 * counts against itself alone, and has places of its own.
 */
export class SignInGuard {
  readonly #addresses = new TryTable(ADDRESS_PACE);
  readonly #sites = new TryTable(SITE_PACE);
  readonly #names = new TryTable(NAME_PACE);
  readonly #browsers = new TryTable(ADDRESS_PACE);
  /** When a name last signed in from an address, in the order of last use. */
  readonly #homes = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  #strangers = 0;
  #known = 0;

  /** Entries of each table. */
  get sizes(): Readonly<Record<"addresses" | "sites" | "names" | "browsers" | "homes", number>> {
    return {
      addresses: this.#addresses.size,
      sites: this.#sites.size,
      names: this.#names.size,
      browsers: this.#browsers.size,
      homes: this.#homes.size,
    };
  }

  begin(attempt: SignInTry, now: number): TryOutcome {
    const { browser, address } = attempt;
    const name = nameKey(attempt.name);
    const isKnown = browser !== undefined || this.#isHome(name, address, now);
    const accounts = this.#accountsOf(attempt, name, isKnown);
    const waitMs = Math.max(...accounts.map(({ table, key }) => table.waitMs(key, now)));
    if (waitMs > 0) return { kind: "wait", waitMs };
    const place = accounts[0]!.key;
    if (this.#isFull(place, isKnown)) return { kind: "busy", waitMs: BUSY_MS };
    for (const { table, key } of accounts) table.count(key, now);
    this.#enter(place, isKnown, 1);
    const leave = (): void => this.#enter(place, isKnown, -1);
    return {
      kind: "open",
      attempt: {
        handleWrong: leave,
        handleRight: () => {
          leave();
          // Only this try: an account holder must not clear an address's record with it.
          for (const { table, key } of accounts) table.giveBack(key);
          this.#keepHome(name, address, now);
        },
      },
    };
  }

  #accountsOf({ browser, address }: SignInTry, name: string | undefined, isKnown: boolean) {
    const line = lineOf(address);
    const accounts: Account[] = browser
      ? [{ table: this.#browsers, key: browser.id }]
      : [{ table: this.#addresses, key: line }];
    if (isKnown) return accounts;
    const site = siteOf(line);
    if (site !== undefined) accounts.push({ table: this.#sites, key: site });
    // An impossible name is not tracked.
    if (name !== undefined) accounts.push({ table: this.#names, key: name });
    return accounts;
  }

  #isFull(place: string, isKnown: boolean): boolean {
    if ((this.#underWay.get(place) ?? 0) >= UNDER_WAY_EACH) return true;
    return isKnown ? this.#known >= UNDER_WAY_KNOWN : this.#strangers >= UNDER_WAY_STRANGERS;
  }

  #enter(place: string, isKnown: boolean, change: 1 | -1): void {
    const count = (this.#underWay.get(place) ?? 0) + change;
    if (count > 0) this.#underWay.set(place, count);
    else this.#underWay.delete(place);
    if (isKnown) this.#known += change;
    else this.#strangers += change;
  }

  #isHome(name: string | undefined, address: string, now: number): boolean {
    const at = this.#homes.get(`${name} ${lineOf(address)}`);
    return name !== undefined && at !== undefined && now - at < HOME_MS;
  }

  #keepHome(name: string | undefined, address: string, now: number): void {
    const key = `${name} ${lineOf(address)}`;
    this.#homes.delete(key);
    this.#homes.set(key, now);
    const [oldest] = this.#homes.keys();
    if (this.#homes.size > ENTRIES_MAX) this.#homes.delete(oldest!);
  }
}

interface Entry {
  /** Wrong tries that were not yet forgiven at the time of the last one. */
  wrong: number;
  lastMs: number;
  nextTryMs: number;
}

/**
 * Wrong tries by key. Keys have a fixed size; forgiven entries are removed, and so is the oldest when there are too
 * many.
 */
class TryTable {
  readonly #pace: Pace;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  get size(): number {
    return this.#entries.size;
  }

  waitMs(key: string, now: number): number {
    return Math.max(0, (this.#entries.get(key)?.nextTryMs ?? now) - now);
  }

  count(key: string, now: number): void {
    const { free, firstWaitMs, waitMsMax } = this.#pace;
    const wrong = this.#left(this.#entries.get(key), now) + 1;
    const doublings = Math.round(wrong) - free;
    const waitMs = doublings < 0 ? 0 : Math.min(waitMsMax, firstWaitMs * 2 ** doublings);
    this.#entries.delete(key);
    this.#entries.set(key, { wrong, lastMs: now, nextTryMs: now + waitMs });
    this.#sweep(now);
  }

  /** Takes back the last counted try; tries that waited because of it need not wait. */
  giveBack(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.wrong = Math.max(0, entry.wrong - 1);
    if (Math.round(entry.wrong) < this.#pace.free) entry.nextTryMs = Number.NEGATIVE_INFINITY;
  }

  #left(entry: Entry | undefined, now: number): number {
    return entry ? Math.max(0, entry.wrong - (now - entry.lastMs) / this.#pace.forgivenMs) : 0;
  }

  #sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= ENTRIES_MAX && this.#left(entry, now) > 0) break;
      this.#entries.delete(key);
    }
  }
}

/** @returns A digest of fixed size, or `undefined` for an impossible name. */
function nameKey(name: string): string | undefined {
  if (!USER_NAME.test(name)) return undefined;
  return toHex(sha256(encodeUtf8(name.toLowerCase())).subarray(0, KEY_BYTES));
}
