import type { PeerStatus, SourceKind } from "../engine/session-contract.ts";
import type { TransferPeers } from "../transfers/transfer-details.ts";

/** The field `peers`. */
export function peersField({ peers, pieceCount }: TransferPeers): object[] {
  return peers.map((peer) => {
    const { remote } = peer;
    const endpoint = "endpoint" in remote ? remote.endpoint : undefined;
    return {
      address: endpoint ? endpoint.address : "",
      port: endpoint?.port ?? 0,
      clientName: peer.client,
      clientIsChoked: peer.peerChoking,
      clientIsInterested: peer.amInterested,
      peerIsChoked: peer.amChoking,
      peerIsInterested: peer.peerInterested,
      flagStr: flagsOf(peer),
      isDownloadingFrom: sendsToUs(peer),
      isUploadingTo: getsFromUs(peer),
      isEncrypted: peer.encryption !== undefined,
      isIncoming: peer.incoming,
      isUTP: remote.kind === "utp",
      progress: pieceCount === 0 ? 0 : peer.piecesHeld / pieceCount,
      rateToClient: Math.round(peer.downloadBytesPerSecond),
      rateToPeer: Math.round(peer.uploadBytesPerSecond),
    };
  });
}

export function sendsToUs({ amInterested, peerChoking }: PeerStatus): boolean {
  return amInterested && !peerChoking;
}

export function getsFromUs({ peerInterested, amChoking }: PeerStatus): boolean {
  return peerInterested && !amChoking;
}

/** Transmission's letters, in its order. */
function flagsOf(peer: PeerStatus): string {
  const { amInterested, amChoking, peerInterested, peerChoking, source } = peer;
  const letters = [
    peer.remote.kind === "utp" && "T",
    amInterested && (peerChoking ? "d" : "D"),
    peerInterested && (amChoking ? "u" : "U"),
    !peerChoking && !amInterested && "K",
    !amChoking && !peerInterested && "?",
    peer.encryption !== undefined && "E",
    source === "dht" && "H",
    source === "pex" && "X",
    peer.incoming && "I",
  ];
  return letters.filter((letter) => letter !== false).join("");
}

const FROM: Readonly<Record<SourceKind, string>> = {
  tracker: "fromTracker",
  dht: "fromDht",
  pex: "fromPex",
  lsd: "fromLpd",
  incoming: "fromIncoming",
  resume: "fromCache",
  // Named by a link or the owner: known before anybody was asked.
  magnet: "fromCache",
  manual: "fromCache",
  webrtc: "fromTracker",
};

/** The field `peersFrom`: connected peers by what named them first. */
export function peersFromField(peers: readonly PeerStatus[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { fromLtep: 0 };
  for (const key of Object.values(FROM)) counts[key] = 0;
  for (const { source } of peers) counts[FROM[source]]! += 1;
  return counts;
}
