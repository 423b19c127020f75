/**
 * The parameters that an announce sets itself (BEP 3, 7, 8, 21, 23), and other spellings of them that trackers
 * accept. `key` is not among them: see `hasParameter`.
 */
const OWN_NAMES: ReadonlySet<string> = new Set([
  "info_hash",
  "sha_ih",
  "peer_id",
  "port",
  "cryptoport",
  "azudp",
  "ip",
  "ipv4",
  "ipv6",
  "uploaded",
  "downloaded",
  "left",
  "corrupt",
  "redundant",
  "event",
  "numwant",
  "num_want",
  "compact",
  "no_peer_id",
  "trackerid",
  "tracker_id",
  "supportcrypto",
  "requirecrypto",
]);

/**
 * Removes from a tracker's URL the parameters that an announce sets itself. The URL comes from the maker of the
 * torrent: some trackers take the first of two values for `port`, and some believe `ip`, so the URL could put a
 * stranger's address, or another port of this machine, into a swarm in our name. Passkeys and everything else are
 * kept.
 *
 * @param url - Its fragment is removed too.
 */
export function trackerUrlWithoutOwn(url: string): string {
  const plain = url.replace(/#.*$/s, "");
  const mark = plain.indexOf("?");
  if (mark < 0) return plain;
  const kept = parametersOf(plain.slice(mark + 1))
    .filter(({ name }) => !OWN_NAMES.has(name))
    .map(({ text }) => text)
    .join("")
    .replace(/^[&;]/, "");
  return kept === "" ? plain.slice(0, mark) : `${plain.slice(0, mark)}?${kept}`;
}

/** Tells whether the query of a URL has a parameter of this name, read as leniently as any tracker does. */
export function hasParameter(url: string, name: string): boolean {
  const mark = url.indexOf("?");
  return mark >= 0 && parametersOf(url.slice(mark + 1)).some((each) => each.name === name);
}

/** Appends to the query of a URL, or begins one. */
export function joinQuery(url: string, query: string): string {
  if (!url.includes("?")) return `${url}?${query}`;
  return /[?&]$/.test(url) ? `${url}${query}` : `${url}&${query}`;
}

/**
 * @returns Parameters in order, each with the separator before it. Some trackers also split at `;`, or at a second
 * `?`.
 */
function parametersOf(query: string): { readonly text: string; readonly name: string }[] {
  const parts = query.match(/[&;?]?[^&;?]*/g) ?? [];
  return parts
    .filter((text) => text !== "")
    .map((text) => ({ text, name: nameOf(text.replace(/^[&;?]/, "")) }));
}

/**
 * The name of a parameter as the most lenient reader sees it: unescaped, in lower case, without white space and
 * control characters (URLs lose some of them in transit), up to a bracket or a zero byte; a dot and a space become an
 * underscore, as in PHP.
 */
function nameOf(parameter: string): string {
  return parameter
    .replace(/=.*$/s, "")
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    .replace(/[[\0].*$/s, "")
    .replaceAll("+", " ")
    .trim()
    .replace(/[. ]/g, "_")
    .replace(/[^!-~]/g, "")
    .toLowerCase();
}
