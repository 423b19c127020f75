import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Settings, SettingsTable } from "../store/settings.ts";
import { SETUP_KEY_MINUTES } from "./setup-gate.ts";

const KEY_BYTES = 16;

/**
 * A key that was asked for on the machine itself, good once and for 30 minutes. Unlike that of the setup gate it
 * lies, as its digest, in the database: a program beside the hub makes it, and the hub that runs knows it at once.
 */
export class SetupLink {
  readonly #settings: SettingsTable;
  readonly #clock: Clock;

  constructor(settings: SettingsTable, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Makes a key; one that was made before is worth nothing any more. */
  async make(random: Random): Promise<string> {
    const key = toHex(random.bytes(KEY_BYTES));
    const endMs = this.#clock.wallMs() + SETUP_KEY_MINUTES * 60_000;
    await this.#settings.set("setup-link", { digest: digestOf(key), endMs });
    return key;
  }

  /** True while a key that was made may still be used. */
  async isOpen(): Promise<boolean> {
    return (await this.#open()) !== undefined;
  }

  /** @returns Whether this is the key. */
  async accepts(key: string): Promise<boolean> {
    // Digests are compared: how far a guess is right does not show in the time it takes.
    return (await this.#open())?.digest === digestOf(key.trim());
  }

  /**
   * @param key - That was accepted.
   * @returns False when somebody else has used it meanwhile, or a newer one was made, which stays good.
   */
  async use(key: string): Promise<boolean> {
    const link = await this.#open();
    if (link?.digest !== digestOf(key.trim())) return false;
    return this.#settings.delete("setup-link", link);
  }

  async #open(): Promise<Settings["setup-link"] | undefined> {
    const link = await this.#settings.get("setup-link");
    if (!link) return undefined;
    // A clock that was set back must not make it last longer than it should.
    const leftMs = link.endMs - this.#clock.wallMs();
    return leftMs > 0 && leftMs <= SETUP_KEY_MINUTES * 60_000 ? link : undefined;
  }
}

function digestOf(key: string): string {
  return toHex(sha256(encodeUtf8(key)));
}
