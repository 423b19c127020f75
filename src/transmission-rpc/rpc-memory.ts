import type { SettingsStore } from "../transfers/transfer-settings.ts";

const KEY = "transmission-rpc";
/** Transfers whose switched-off limits are remembered. */
const TRANSFERS_MAX = 1_000;

/**
 * Values that Transmission keeps beside a switch: a limit stays known while it is off. Here off is 0, so that the value
 * would be lost. Those of the session survive a restart.
 */
export interface SessionMemory {
  readonly "speed-limit-down"?: number;
  readonly "speed-limit-up"?: number;
  readonly "alt-speed-time-begin"?: number;
  readonly "alt-speed-time-end"?: number;
  readonly "alt-speed-time-day"?: number;
  readonly seedRatioLimit?: number;
  readonly "idle-seeding-limit"?: number;
  readonly "download-queue-size"?: number;
  /** False: what is added through this protocol waits for a start. */
  readonly "start-added-torrents"?: boolean;
}

/** The limits of one transfer that are switched off. */
export interface TransferMemory {
  readonly downloadLimit?: number;
  readonly uploadLimit?: number;
  readonly seedRatioLimit?: number;
  readonly seedIdleLimit?: number;
}

export class RpcMemory {
  readonly #store: SettingsStore;
  #session: SessionMemory | undefined;
  /** By id, the oldest first. */
  readonly #transfers = new Map<string, TransferMemory>();

  constructor(store: SettingsStore) {
    this.#store = store;
  }

  async session(): Promise<SessionMemory> {
    this.#session ??= (await this.#store.get(KEY)) ?? {};
    return this.#session;
  }

  async remember(change: SessionMemory): Promise<void> {
    if (Object.keys(change).length === 0) return;
    this.#session = { ...(await this.session()), ...change };
    await this.#store.set(KEY, { ...this.#session });
  }

  of(id: string): TransferMemory {
    return this.#transfers.get(id) ?? {};
  }

  rememberFor(id: string, change: TransferMemory): void {
    if (Object.keys(change).length === 0) return;
    const memory = { ...this.of(id), ...change };
    this.#transfers.delete(id);
    this.#transfers.set(id, memory);
    const [oldest] = this.#transfers.keys();
    if (this.#transfers.size > TRANSFERS_MAX) this.#transfers.delete(oldest!);
  }
}
