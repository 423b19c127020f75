import type { Endpoint } from "../base/endpoint.ts";
import { wireInfohashes } from "../base/infohash.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { PeerSource } from "../engine/session-contract.ts";
import type { Lsd } from "./lsd.ts";

export interface LsdSourceOptions {
  readonly lsd: Lsd;
  /**
   * False for a magnet link that names trackers: it may be that of a private torrent. Until its info is known,
   * neighbours are heard and told nothing.
   */
  readonly mayAnnounce: boolean;
  /** House rule 8. Takes the neighbour of one packet, and the address that it came from. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
}

/** Neighbours as a source of peers of one torrent. The engine attaches it to no private torrent (BEP 27). */
export function lsdSource({ lsd, mayAnnounce, judgePeers }: LsdSourceOptions): PeerSource {
  return {
    kind: "lsd",
    attach: (swarm) => {
      const searches = wireInfohashes(swarm.infohashes).map((infohash) =>
        lsd.search(infohash, (peer) => {
          const judged = judgePeers([peer], peer.address);
          if (judged.length > 0) swarm.offerPeers(tcpAddresses(judged));
        }),
      );
      const announce = (): void => {
        for (const search of searches) search.announce();
      };
      if (mayAnnounce) announce();
      return {
        handleMetadata: () => {
          if (!swarm.private()) announce();
        },
        handleComplete: () => undefined,
        detach: async () => {
          for (const search of searches) search.end();
        },
      };
    },
  };
}
