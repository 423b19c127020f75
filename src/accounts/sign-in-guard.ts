import { addressBytes } from "../base/endpoint.ts";
import { toHex } from "../base/bytes.ts";

/** One line of the table of delays. */
interface Pace {
  /** Wrong tries that cost nothing: people mistype. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly waitMsMax: number;
}

// An address that guesses is slowed down hard. A name that is guessed at from many addresses is slowed
// down too, but never so that its owner could not come in: nobody can be locked out by a stranger.
const ADDRESS_PACE: Pace = { free: 5, firstWaitMs: 1_000, waitMsMax: 15 * 60_000 };
const NAME_PACE: Pace = { free: 20, firstWaitMs: 1_000, waitMsMax: 10_000 };
const FORGET_MS = 60 * 60_000;
const ENTRIES_MAX = 20_000;
const IPV6_NETWORK_BYTES = 8;

interface Entry {
  wrong: number;
  lastMs: number;
  nextTryMs: number;
}

/** Slows down guessing of passwords per address and per name (HUB-9). A machine: `now` is monotonic. */
export class SignInGuard {
  /** In the order of last use, so that the oldest is forgotten first. */
  readonly #entries = new Map<string, Entry>();

  /** @returns Milliseconds to wait before a try is looked at; 0 when at once. */
  waitMs(name: string, address: string, now: number): number {
    let wait = 0;
    for (const [key] of keys(name, address)) {
      const entry = this.#entries.get(key);
      if (entry) wait = Math.max(wait, entry.nextTryMs - now);
    }
    return Math.max(0, wait);
  }

  handleWrong(name: string, address: string, now: number): void {
    for (const [key, pace] of keys(name, address)) {
      const known = this.#entries.get(key);
      const wrong = known && now - known.lastMs < FORGET_MS ? known.wrong + 1 : 1;
      const doublings = wrong - pace.free;
      const wait =
        doublings < 0
          ? 0
          : Math.min(pace.waitMsMax, pace.firstWaitMs * 2 ** Math.min(doublings, 30));
      this.#entries.delete(key);
      this.#entries.set(key, { wrong, lastMs: now, nextTryMs: now + wait });
    }
    while (this.#entries.size > ENTRIES_MAX) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
  }

  /** The right password forgives the address, not the name: others may still be guessing at it. */
  handleRight(address: string): void {
    this.#entries.delete(addressKey(address));
  }
}

function keys(name: string, address: string): [key: string, pace: Pace][] {
  return [
    [addressKey(address), ADDRESS_PACE],
    [`name ${name.toLowerCase()}`, NAME_PACE],
  ];
}

/** A whole IPv6 network is one guesser: everybody at home has 2^64 addresses. */
function addressKey(address: string): string {
  const bytes = addressBytes(address);
  if (!bytes || bytes.length === 4) return `address ${address}`;
  return `network ${toHex(bytes.subarray(0, IPV6_NETWORK_BYTES))}`;
}
