import { REACH, reachOf, type Reach } from "../base/address-reach.ts";
import { decodeCompact, type Endpoint } from "../base/endpoint.ts";
import { type BencodeDict, getBytes, getList, isBytes } from "../bencode/bencode-value.ts";
import { type Contact, decodeContacts, type Family } from "./contact.ts";

/** Nodes of one family and peers that one reply may name; more are ignored. */
const NODES_NAMED_MAX = 16;
const PEERS_NAMED_MAX = 200;

/**
 * The nodes that a reply names. One that is nearer to us than whoever names it is left out: nobody outside says whom to
 * talk to in our own network or on this machine (house rule 8).
 */
export function namedContacts(results: BencodeDict, from: Endpoint, family: Family): Contact[] {
  const bytes = getBytes(results, family === 4 ? "nodes" : "nodes6");
  if (!bytes) return [];
  const reach = reachOf(from.address);
  return decodeContacts(bytes, family, NODES_NAMED_MAX).filter(({ endpoint }) =>
    mayName(reach, endpoint),
  );
}

/** The peers that a reply to `get_peers` names, by the same rule (DHT-8). */
export function namedPeers(results: BencodeDict, from: Endpoint): Endpoint[] {
  const reach = reachOf(from.address);
  const peers: Endpoint[] = [];
  for (const value of (getList(results, "values") ?? []).slice(0, PEERS_NAMED_MAX)) {
    if (!isBytes(value) || (value.length !== 6 && value.length !== 18)) continue;
    for (const peer of decodeCompact(value, value.length))
      if (mayName(reach, peer)) peers.push(peer);
  }
  return peers;
}

function mayName(namer: Reach, endpoint: Endpoint): boolean {
  const reach = reachOf(endpoint.address);
  return reach !== REACH.nowhere && reach >= namer;
}
