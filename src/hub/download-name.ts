/**
 * `Content-Disposition` for a file whose name came from outside: always an attachment, the name once in plain
 * ASCII for old readers and once in full (RFC 6266, RFC 8187). Nothing in it can end the header (HUB-5, rule 7).
 * A title is kept to the letter, but for what would make another name of it where it is saved: readers cut at
 * separators, and marks of direction turn an ending round (MET-4).
 */
export function attachment(name: string): string {
  const safe = name.toWellFormed().replace(MISLEADING, "_");
  const ascii = safe.replace(/[^\x20-\x7e]|["%]/g, "_");
  const full = encodeURIComponent(safe).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${full}`;
}

const MISLEADING =
  /[\u0000-\u001f\u007f-\u009f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** The name of an archive for what has this title; every system can store it. */
export function archiveName(title: string): string {
  const name = [...title.toWellFormed()]
    .slice(0, TITLE_CHARACTERS_MAX)
    .join("")
    // What systems refuse, and what would hide the name or lead elsewhere.
    .replace(/[\p{Cc}\p{Cf}/\\:*?"<>|]/gu, "_")
    .replace(/^[. ]+|[. ]+$/g, "");
  return `${name || "torrent"}.zip`;
}

/** With four bytes each and the ending below the 255 bytes of file systems. */
const TITLE_CHARACTERS_MAX = 60;
