import type { Endpoint } from "../base/endpoint.ts";
import type { ExtensionKind } from "../engine/extension.ts";
import { holepunch } from "./holepunch.ts";
import { peerExchange } from "./peer-exchange.ts";

export interface SwarmExtensionsOptions {
  /** House rule 8. Takes the peers of one message and the address of the peer that sent it. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
  /** Whether our calls leave our own router over uTP: nothing else gets through two of them (BEP 55). */
  readonly opensRouters: boolean;
}

/** How the peers of a torrent lead us to others. */
export function swarmExtensions({
  judgePeers,
  opensRouters,
}: SwarmExtensionsOptions): readonly ExtensionKind[] {
  const exchange = peerExchange({ judgePeers });
  return opensRouters ? [exchange, holepunch({ judgePeers })] : [exchange];
}
