/** What a person pasted, dropped or typed, as far as it names torrents. */
export interface GivenSource {
  /** A magnet link, an infohash or an address; empty when there are only files. */
  readonly text: string;
  readonly files: readonly File[];
}

const INFOHASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32}|1220[0-9a-f]{64})$/i;

/** True for a text that names a torrent: a magnet link, an infohash, or the address of a .torrent file. */
export function namesTorrent(text: string): boolean {
  const word = text.trim();
  if (/\s/.test(word)) return false;
  return (
    /^magnet:\?/i.test(word) ||
    INFOHASH.test(word) ||
    (/^https?:\/\//i.test(word) && /\.torrent(?:[?#]|$)/i.test(word))
  );
}

/** What a drop or the clipboard holds; `undefined` when it names no torrent. */
export function sourceIn(transfer: DataTransfer | null): GivenSource | undefined {
  if (transfer === null) return undefined;
  const files = [...transfer.files].filter(({ name }) => /\.torrent$/i.test(name));
  if (files.length > 0) return { text: "", files };
  const texts = [transfer.getData("text/uri-list"), transfer.getData("text/plain")];
  for (const text of texts) {
    const [line = ""] = text.split(/\r?\n/).filter((each) => each !== "" && !each.startsWith("#"));
    if (namesTorrent(line)) return { text: line.trim(), files: [] };
  }
  return undefined;
}
