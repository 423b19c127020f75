import type { Endpoint } from "../base/endpoint.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, PeerTransport } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import { type PortPlace, SharedPort } from "../udp/shared-port.ts";
import { UtpTransport } from "../utp/utp-transport.ts";
import { CommandError } from "./command-error.ts";
import type { SessionPorts } from "./command-ports.ts";
import { type ListenPlan, listenOnFirst } from "./listening.ts";

export interface PeerNetOptions {
  readonly mode: TransportMode;
  readonly openTcp: SessionPorts["openTcp"];
  readonly guard: SessionPorts["guardTransports"];
  readonly datagrams: DatagramNet;
  readonly behindProxy?: SessionPorts["behindProxy"];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** False refuses to connect to an address (house rule 8). */
  readonly allowRemote: (remote: Endpoint) => boolean;
}

/** What leads to peers, for one session: its transports, and the UDP port that uTP shares with the DHT and with trackers. */
export class PeerNet {
  readonly transports: readonly PeerTransport[];
  readonly udp: SharedPort;
  readonly #mode: TransportMode;
  readonly #utp: UtpTransport;

  constructor(options: PeerNetOptions) {
    const { openTcp, clock, random, log, allowRemote } = options;
    const mode = modeBehind(options.behindProxy, options.mode);
    this.#mode = mode;
    this.udp = new SharedPort({ net: options.datagrams, log });
    const datagrams = this.udp.part("utp");
    this.#utp = new UtpTransport({ datagrams, clock, random, allowRemote });
    const tcp = mode === "utp" ? [] : [openTcp(allowRemote)];
    const utp = mode === "tcp" ? [] : [this.#utp];
    this.transports = options.guard([...tcp, ...utp]);
  }

  /**
   * Lets a session listen with all transports on one number.
   *
   * @param listen - Listens on this place. @returns The bound port.
   * @param isPortWanted - Somebody counts on the first number: when it is free for TCP and not for UDP, UDP takes another
   *   one. Without this, the next number is tried.
   */
  async listen(
    plan: ListenPlan,
    listen: (place: PortPlace) => Promise<number>,
    isPortWanted: boolean,
  ): Promise<number> {
    const { host } = plan;
    const mayMove = this.#mode === "both" && isPortWanted;
    const port = await listenOnFirst(plan, (place) => {
      this.udp.setPlace(place, { mayMove });
      return listen(place);
    });
    // Without uTP the port is opened for the first that needs it, and none of those needs the number.
    if (!this.udp.local) this.udp.setPlace({ host, port }, { mayMove: true });
    return port;
  }

  /** Call it when the session has ended, and everything that shares the UDP port. */
  async close(): Promise<void> {
    await this.#utp.close();
    this.udp.close();
  }
}

/** uTP goes through a proxy that carries datagrams, and around no other (WIR-27). */
function modeBehind(proxy: SessionPorts["behindProxy"], mode: TransportMode): TransportMode {
  if (proxy?.carriesDatagrams ?? true) return mode;
  if (mode !== "utp") return "tcp";
  throw new CommandError("bad-plan", "uTP alone is chosen, and the proxy carries no datagrams.", {
    hint: "tcp or both for the transport, or a SOCKS5 proxy that relays UDP.",
  });
}
