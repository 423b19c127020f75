import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Settings, SettingsTable } from "../store/settings.ts";
import { SETUP_KEY_MINUTES } from "./setup-gate.ts";

const KEY_BYTES = 16;

/**
 * A key made on the machine itself, valid once and for 30 minutes. Unlike the setup gate's key it is stored, as a
 * digest, in the database: another program makes it, and the running hub knows it at once.
 */
export class SetupLink {
  readonly #settings: SettingsTable;
  readonly #clock: Clock;

  constructor(settings: SettingsTable, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Makes a key; an earlier one becomes invalid. */
  async make(random: Random): Promise<string> {
    const key = toHex(random.bytes(KEY_BYTES));
    const endMs = this.#clock.wallMs() + SETUP_KEY_MINUTES * 60_000;
    await this.#settings.set("setup-link", { digest: digestOf(key), endMs });
    return key;
  }

  /** True while a key may still be used. */
  async isOpen(): Promise<boolean> {
    return (await this.#open()) !== undefined;
  }

  /** @returns True when this is the key. */
  async accepts(key: string): Promise<boolean> {
    // Compares digests, so that the time taken does not reveal how much of a guess is right.
    return (await this.#open())?.digest === digestOf(key.trim());
  }

  /**
   * @param key - A key that `accepts` accepted.
   * @returns False when it was used meanwhile, or a newer key was made; the newer one stays valid.
   */
  async use(key: string): Promise<boolean> {
    const link = await this.#open();
    if (link?.digest !== digestOf(key.trim())) return false;
    return this.#settings.delete("setup-link", link);
  }

  async #open(): Promise<Settings["setup-link"] | undefined> {
    const link = await this.#settings.get("setup-link");
    if (!link) return undefined;
    // Setting the clock back must not extend its life.
    const leftMs = link.endMs - this.#clock.wallMs();
    return leftMs > 0 && leftMs <= SETUP_KEY_MINUTES * 60_000 ? link : undefined;
  }
}

function digestOf(key: string): string {
  return toHex(sha256(encodeUtf8(key)));
}
