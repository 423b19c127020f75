import type { Endpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import { ProxyError } from "./proxy-error.ts";
import { type ProxyAddress, proxyName } from "./proxy-url.ts";

/** Between two look-ups of the proxy's name. */
const LOOK_UP_MS = 60_000;

export interface ProxyPlaceOptions {
  readonly proxy: ProxyAddress;
  /** Looks up the name of the proxy, the only name that is looked up here. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Where the proxy is. */
export class ProxyPlace {
  readonly #options: ProxyPlaceOptions;
  #addresses: readonly string[];
  #lookedUpMs: number;

  private constructor(options: ProxyPlaceOptions, addresses: readonly string[]) {
    this.#options = options;
    this.#addresses = addresses;
    this.#lookedUpMs = options.clock.nowMs();
  }

  /** @throws {ProxyError} (rejects) `unreachable` when its name has no address. */
  static async open(options: ProxyPlaceOptions): Promise<ProxyPlace> {
    const { proxy, resolve } = options;
    const addresses = await resolve(proxy.host);
    if (addresses.length > 0) return new ProxyPlace(options, addresses);
    throw new ProxyError("unreachable", `The proxy ${proxyName(proxy)} has no address.`);
  }

  get endpoint(): Endpoint {
    return { address: this.#addresses[0]!, port: this.#options.proxy.port };
  }

  /** Nothing answered there: the next one takes another address of the name, or a new one. */
  handleUnreachable(): void {
    const [first, ...others] = this.#addresses;
    this.#addresses = [...others, first!];
    const { proxy, resolve, clock } = this.#options;
    if (clock.nowMs() - this.#lookedUpMs < LOOK_UP_MS) return;
    this.#lookedUpMs = clock.nowMs();
    void resolve(proxy.host).then((addresses) => {
      if (addresses.length > 0) this.#addresses = addresses;
    });
  }
}
