type Tiers = readonly (readonly string[])[];

/**
 * The hub's own trackers, each a tier of its own, and after them the publisher's.
 *
 * @param own - This hub's trackers, at its current addresses.
 * @param named - Tiers; trackers of ours among them are not repeated.
 */
export function withOwnTrackers(own: readonly string[], named: Tiers): string[][] {
  return [...own.map((url) => [url]), ...withoutTrackers(named, own)];
}

/** Removes `trackers`, and tiers that become empty. */
export function withoutTrackers(tiers: Tiers, trackers: readonly string[]): string[][] {
  const others = tiers.map((tier) => tier.filter((url) => !trackers.includes(url)));
  return others.filter((tier) => tier.length > 0);
}

/**
 * Finds the publisher's trackers in a .torrent file of the first hubs, which wrote their own trackers of that day
 * into it: alone, unless the publisher named others, and always in one form: the announce URL of the web site, and
 * perhaps UDP on the same host. Trackers of this form count as the hub's.
 */
export function namedInOldFile(tiers: Tiers): string[][] {
  const [first, second] = tiers.map((tier) => (tier.length === 1 ? tier[0] : undefined));
  const host = announceHost(first, /^https?:$/);
  if (host === undefined) return copyOf(tiers);
  if (announceHost(second, /^udp:$/) === host) return copyOf(tiers.slice(2));
  // Alone it is the hub's. In front of others it may be one of theirs, and one tracker too many does no harm.
  return tiers.length === 1 ? [] : copyOf(tiers);
}

function announceHost(url: string | undefined, protocol: RegExp): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol: found, hostname, pathname, search } = new URL(url);
  return protocol.test(found) && pathname.endsWith("/announce") && search === ""
    ? hostname
    : undefined;
}

function copyOf(tiers: Tiers): string[][] {
  return tiers.map((tier) => [...tier]);
}
