import type { Endpoint } from "../base/endpoint.ts";
import { systemCode } from "../base/system-code.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { BoundInterface } from "./bound-interface.ts";

/** Wait before an address that refused is tried again: a new IPv6 address cannot be used for its first seconds. */
const RETRY_MS = 2_000;

/** A listener or a socket. */
export interface Opened {
  readonly local: Endpoint | undefined;
  close(): void;
}

export interface OnAddressesOptions<Part extends Opened> {
  readonly bound: BoundInterface;
  readonly clock: Pick<Clock, "startTimer">;
  readonly log: Log;
  /** 0 lets the system choose one, which is kept from then on. */
  readonly port: number;
  /** @throws (rejects with) the system's error. */
  readonly open: (address: string, port: number) => Promise<Part>;
}

/** Something that is open on each address of an interface, on one port, as the addresses come and go. */
export class OnAddresses<Part extends Opened> {
  readonly #options: OnAddressesOptions<Part>;
  readonly #parts = new Map<string, Part>();
  readonly #unwatch: () => void;
  #port: number;
  #retry: Timer | undefined;
  /** The last of the changes that are carried out, one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(options: OnAddressesOptions<Part>) {
    this.#options = options;
    this.#port = options.port;
    this.#unwatch = options.bound.watch(() => this.#follow());
  }

  /** @throws (rejects with) the system's error when an address refuses. Without an address, and for one that is not ready, it waits. */
  static async open<Part extends Opened>(
    options: OnAddressesOptions<Part>,
  ): Promise<OnAddresses<Part>> {
    const opened = new OnAddresses(options);
    try {
      await opened.#openMissing();
      return opened;
    } catch (error) {
      // An address that the system lists and does not give yet: a new one of IPv6, or one that is going away.
      if (systemCode(error) === "EADDRNOTAVAIL") {
        opened.#tryLater(error);
        return opened;
      }
      opened.close();
      throw error;
    }
  }

  /** Where it is open; `undefined` without an address and a port. */
  get local(): Endpoint | undefined {
    for (const { local } of this.#parts.values()) if (local) return local;
    return undefined;
  }

  /** @returns The part on the address of this family. */
  of(family: 4 | 6): Part | undefined {
    const address = this.#options.bound.addressOf(family);
    return address === undefined ? undefined : this.#parts.get(address);
  }

  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#retry?.cancel();
    for (const part of this.#parts.values()) part.close();
    this.#parts.clear();
  }

  #follow(): void {
    const { bound } = this.#options;
    for (const [address, part] of this.#parts) {
      if (bound.has(address)) continue;
      part.close();
      this.#parts.delete(address);
    }
    this.#retry?.cancel();
    this.#changing = this.#changing.then(async () => {
      try {
        await this.#openMissing();
      } catch (error) {
        this.#tryLater(error);
      }
    });
  }

  #tryLater(error: unknown): void {
    const { clock, log } = this.#options;
    log.debug("an address cannot be used yet", { cause: String(error) });
    this.#retry?.cancel();
    if (!this.#isClosed) this.#retry = clock.startTimer(RETRY_MS, () => this.#follow());
  }

  async #openMissing(): Promise<void> {
    const { bound, open } = this.#options;
    for (const address of bound.addresses) {
      if (this.#isClosed || this.#parts.has(address)) continue;
      const part = await open(address, this.#port);
      this.#port = part.local?.port ?? this.#port;
      // The address may have gone while it was opened.
      if (this.#isClosed || !bound.has(address)) part.close();
      else this.#parts.set(address, part);
    }
  }
}
