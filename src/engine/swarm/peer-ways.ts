import type { PeerAddress, TransportKind } from "../../base/peer-address.ts";

/** The ways to one peer, the named one first. They have one `addressKey`. */
export type PeerWays = readonly [PeerAddress, ...PeerAddress[]];

/**
 * The ways to a peer over the transports that there are. An address and a port are one program, which may listen for
 * TCP, for uTP or for both, whatever the source said that named it: trackers and the DHT say nothing.
 *
 * @returns `undefined` when no transport reaches it.
 */
export function waysTo(
  address: PeerAddress,
  kinds: ReadonlySet<TransportKind>,
): PeerWays | undefined {
  const [first, ...others] = everyWay(address).filter(({ kind }) => kinds.has(kind));
  return first && [first, ...others];
}

function everyWay(address: PeerAddress): readonly PeerAddress[] {
  switch (address.kind) {
    case "tcp":
      return [address, { kind: "utp", endpoint: address.endpoint }];
    case "utp":
      return [address, { kind: "tcp", endpoint: address.endpoint }];
    case "webrtc":
      return [address];
  }
}
