import { invariant } from "../../base/errors.ts";
import { systemCode } from "../../base/system-code.ts";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  DialOptions,
  ListenOptions,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../../ports/net.ts";
import { RacedStream } from "./raced-stream.ts";

/** How often the system chooses a port. */
const CHOICES_MAX = 8;

/** All transports of a session as one. Nobody else in the engine chooses between them. */
export class Transports {
  readonly #transports: readonly PeerTransport[];
  readonly #clock: Clock;
  #listeners: readonly StreamListener[] = [];

  constructor(transports: readonly PeerTransport[], clock: Clock) {
    this.#transports = transports;
    this.#clock = clock;
  }

  /** The bound port, the same for all transports that have ports; 0 before `listen`. */
  get port(): number {
    return portOf(this.#listeners) ?? 0;
  }

  /**
   * Where the system chooses the port, it chooses again when the number is free for the first transport only.
   *
   * @throws (rejects with) the error of the first transport that cannot listen; then none does.
   */
  async listen(options: ListenOptions): Promise<number> {
    for (let left = options.port === 0 ? CHOICES_MAX : 1; ; left -= 1) {
      try {
        return await this.#listenOnce(options);
      } catch (error) {
        if (left === 1 || systemCode(error) !== "EADDRINUSE") throw error;
      }
    }
  }

  async #listenOnce(options: ListenOptions): Promise<number> {
    const listeners: StreamListener[] = [];
    try {
      for (const transport of this.#transports) {
        const port = portOf(listeners) ?? options.port;
        listeners.push(await transport.listen({ ...options, port }));
      }
    } catch (error) {
      for (const listener of listeners) listener.close();
      throw error;
    }
    this.#listeners = listeners;
    return this.port;
  }

  /**
   * @param ways - To one peer. They are tried at the same time, and the first that opens is the connection; the first in
   *   the list is preferred when two open together.
   */
  dial(
    ways: readonly [PeerAddress, ...PeerAddress[]],
    handler: StreamHandler,
    options: DialOptions,
  ): StreamConnection {
    const [only, ...others] = ways;
    if (others.length === 0) return this.#dial(only, handler, options);
    return new RacedStream(
      ways.map((way) => (racer: StreamHandler) => this.#dial(way, racer, options)),
      handler,
      this.#clock,
    );
  }

  /** Stops accepting; open connections stay. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  #dial(way: PeerAddress, handler: StreamHandler, options: DialOptions): StreamConnection {
    const transport = this.#transports.find(({ kind }) => kind === way.kind);
    invariant(transport !== undefined, "only addresses that some transport reaches are dialled");
    return transport.dial(way, handler, options);
  }
}

function portOf(listeners: readonly StreamListener[]): number | undefined {
  for (const { local } of listeners) if (local) return local.port;
  return undefined;
}
