import { REACH, reachOf } from "../../base/address-reach.ts";
import { ipOf, type PeerAddress } from "../../base/peer-address.ts";
import type { Connection } from "../connection/connection.ts";
import type { DialHistory } from "../sharing/dial-history.ts";
import type { PeerWays } from "./peer-ways.ts";

/** When nobody has called for so long, the router may be another, or have forgotten us. */
const CALLED_MS = 3_600_000;

/**
 * Whether peers elsewhere can call us. While none has, and no router is known to pass our port on, uTP is the preferred
 * way to them: all its connections have one port, at which a peer that knows us can introduce others (BEP 55). A
 * connection over TCP has a port of its own, where no router lets anybody in.
 */
export class Reachability {
  /** A router passes our port on. */
  isMapped = false;
  readonly #dials: Pick<DialHistory, "hasDialled">;
  readonly #hasIntroductions: boolean;
  #calledAtMs = Number.NEGATIVE_INFINITY;

  /** @param hasIntroductions - Without them nothing is preferred. */
  constructor(dials: Pick<DialHistory, "hasDialled">, hasIntroductions: boolean) {
    this.#dials = dials;
    this.#hasIntroductions = hasIntroductions;
  }

  /** Handshakes are exchanged. Whom we have dialled may have called us through what that opened. */
  handleReady({ incoming, remote }: Pick<Connection, "incoming" | "remote">, now: number): void {
    if (!incoming || !isElsewhere(remote) || this.#dials.hasDialled(remote)) return;
    this.#calledAtMs = now;
  }

  /** @returns The ways to one peer, the one to prefer first. */
  order(ways: PeerWays, now: number): PeerWays {
    const isReached = this.isMapped || now - this.#calledAtMs < CALLED_MS;
    if (!this.#hasIntroductions || isReached || !isElsewhere(ways[0])) return ways;
    const utp = ways.find(({ kind }) => kind === "utp");
    return utp ? [utp, ...ways.filter((way) => way !== utp)] : ways;
  }
}

function isElsewhere(address: PeerAddress): boolean {
  const ip = ipOf(address);
  return ip !== undefined && reachOf(ip) === REACH.world;
}
