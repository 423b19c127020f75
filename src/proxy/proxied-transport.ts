import { type EndpointAddress, tcpAddress } from "../base/peer-address.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DialOptions,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../ports/net.ts";
import { ProxiedStream } from "./proxied-stream.ts";
import type { ProxyPlace } from "./proxy-place.ts";
import type { ProxyAddress } from "./proxy-url.ts";
import { streamThrough } from "./tunnel.ts";

export interface ProxiedTransportOptions {
  readonly proxy: ProxyAddress;
  readonly place: ProxyPlace;
  /** Reaches the proxy. Nothing else is dialled with it. */
  readonly lower: PeerTransport<"tcp">;
  readonly clock: Pick<Clock, "startTimer">;
}

/**
 * TCP to peers through a proxy. A failure of the proxy is a failure of the connection: nothing goes around it (WIR-27).
 * Peers cannot connect to us, because a proxy takes no calls for us.
 */
export class ProxiedTransport implements PeerTransport<"tcp"> {
  readonly kind = "tcp";
  readonly #options: ProxiedTransportOptions;

  constructor(options: ProxiedTransportOptions) {
    this.#options = options;
  }

  async listen(): Promise<StreamListener> {
    return NO_LISTENER;
  }

  dial(
    remote: EndpointAddress<"tcp">,
    handler: StreamHandler,
    { timeoutMs }: DialOptions,
  ): StreamConnection {
    const { proxy, place, lower, clock } = this.#options;
    const { address: host, port } = remote.endpoint;
    return new ProxiedStream({
      remote,
      handshake: streamThrough(proxy, { host, port }),
      handler,
      clock,
      timeoutMs,
      connect: (asking) => lower.dial(tcpAddress(place.endpoint), asking, { timeoutMs }),
      onUnreachable: () => place.handleUnreachable(),
    });
  }
}

/** Listens nowhere, so that there is no port to tell others of. */
export const NO_LISTENER: StreamListener & { readonly local: Endpoint | undefined } = {
  local: undefined,
  close: () => undefined,
};
