import type { Endpoint } from "../base/endpoint.ts";
import type { TransportKind } from "../base/peer-address.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, DatagramSocket, PeerTransport } from "../ports/net.ts";
import type { BoundInterface } from "./bound-interface.ts";
import { OnAddresses } from "./on-addresses.ts";

export interface BoundNetOptions {
  readonly bound: BoundInterface;
  readonly clock: Pick<Clock, "startTimer">;
  readonly log: Log;
}

/**
 * Listens on the addresses of one interface only, whatever host it is told. What `lower` dials must leave from them by
 * itself.
 */
export function boundTransport<Kind extends TransportKind>(
  lower: PeerTransport<Kind>,
  options: BoundNetOptions,
): PeerTransport<Kind> {
  return {
    kind: lower.kind,
    dial: (address, handler, dialOptions) => lower.dial(address, handler, dialOptions),
    listen: ({ port, accept }) =>
      OnAddresses.open({
        ...options,
        port,
        open: (host, onPort) => lower.listen({ host, port: onPort, accept }),
      }),
  };
}

/** Sends and receives by one interface only, whatever host it is told. While the interface is gone packets are lost. */
export function boundDatagrams(lower: DatagramNet, options: BoundNetOptions): DatagramNet {
  return {
    resolve: (host) => lower.resolve(host),
    bind: async ({ port, hasQueues = false, receive }) => {
      const sockets = await OnAddresses.open<DatagramSocket>({
        ...options,
        port,
        open: (host, onPort) => lower.bind({ host, port: onPort, hasQueues, receive }),
      });
      const forAddress = (address: string): DatagramSocket | undefined =>
        sockets.of(address.includes(":") ? 6 : 4);
      return {
        get local(): Endpoint {
          return sockets.local ?? { address: "0.0.0.0", port };
        },
        send: (bytes, to) => forAddress(to.address)?.send(bytes, to),
        afterBurst: (fire) => {
          const socket = sockets.of(4) ?? sockets.of(6);
          if (socket) socket.afterBurst(fire);
          else options.clock.startTimer(0, fire);
        },
        bytesMaxTo: (address) => forAddress(address)?.bytesMaxTo?.(address),
        openQueue: (remote) => forAddress(remote.address)?.openQueue?.(remote) ?? (() => undefined),
        close: () => sockets.close(),
      };
    },
  };
}
