/** What a node opens besides peers: the database, files of content, threads, its own sockets, and its owner's connections. */
const OTHERS_MAX = 256;
/** A node at rest has 43 open. */
const OTHERS_MIN = 56;
const CONNECTIONS_MIN = 4;

/**
 * Leaves room beside peers, so that strangers who connect never keep the owner, the database or the content from being opened
 * (STO-7).
 *
 * @param wanted - Connections to peers, as the settings have them.
 * @param limit - Descriptors of the process; `undefined` for any number.
 * @returns Connections to peers at one time.
 */
export function connectionsWithin(wanted: number, limit: number | undefined): number {
  if (limit === undefined) return wanted;
  const others = Math.min(OTHERS_MAX, Math.max(OTHERS_MIN, limit >> 2));
  return Math.max(CONNECTIONS_MIN, Math.min(wanted, limit - others));
}
