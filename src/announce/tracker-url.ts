/**
 * What an announce says of itself (BEP 3, 7, 8, 21, 23), and other spellings that trackers take for it. `key` is not
 * among them: see `hasParameter`.
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
 * A tracker's URL without what an announce says itself. It comes from whoever made the torrent: of two values for
 * `port` some trackers take the first, and `ip` is believed by some, so that the URL could put a stranger's address, or
 * another port of this machine, into a swarm in our name. Passkeys and everything else stay as they are.
 *
 * @param url - Its fragment goes too.
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

/** Whether the query of a URL has a parameter of this name, as the most lenient of trackers reads it. */
export function hasParameter(url: string, name: string): boolean {
  const mark = url.indexOf("?");
  return mark >= 0 && parametersOf(url.slice(mark + 1)).some((each) => each.name === name);
}

/** Appends to the query a URL has, or begins one. */
export function joinQuery(url: string, query: string): string {
  if (!url.includes("?")) return `${url}?${query}`;
  return /[?&]$/.test(url) ? `${url}${query}` : `${url}&${query}`;
}

/** @returns In their order, each with the separator before it. Some trackers part at `;` too, or at a second `?`. */
function parametersOf(query: string): { readonly text: string; readonly name: string }[] {
  const parts = query.match(/[&;?]?[^&;?]*/g) ?? [];
  return parts
    .filter((text) => text !== "")
    .map((text) => ({ text, name: nameOf(text.replace(/^[&;?]/, "")) }));
}

/**
 * The name of a parameter in the form that the most lenient reader gives it: unescaped, in small letters, without
 * white space and control characters (URLs lose some of them on their way), up to a bracket or a zero byte; a dot and
 * a space are an underscore, as in PHP.
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
