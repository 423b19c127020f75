/**
 * `Content-Disposition` for a file whose name came from outside: always an attachment, the name once in plain ASCII
 * for old clients and once in full (RFC 6266, RFC 8187). Nothing in it can end the header (HUB-5, house rule 7). The title
 * is kept to the letter, except for characters that would change the saved name: clients cut at separators, and
 * direction marks reverse an extension (MET-4).
 */
export function attachment(name: string): string {
  return `attachment; ${named(name)}`;
}

/** The same for a file that a browser shows: the name is for those who save it. */
export function inline(name: string): string {
  return `inline; ${named(name)}`;
}

function named(name: string): string {
  const safe = name.toWellFormed().replace(MISLEADING, "_");
  const ascii = safe.replace(/[^\x20-\x7e]|["%]/g, "_");
  const full = encodeURIComponent(safe).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${full}`;
}

const MISLEADING =
  /[\u0000-\u001f\u007f-\u009f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** The file name of an archive with this title; every system can store it. */
export function archiveName(title: string): string {
  const name = [...title.toWellFormed()]
    .slice(0, TITLE_CHARACTERS_MAX)
    .join("")
    // Characters that systems refuse, hide the name or lead elsewhere.
    .replace(/[\p{Cc}\p{Cf}/\\:*?"<>|]/gu, "_")
    .replace(/^[. ]+|[. ]+$/g, "");
  return `${name || "torrent"}.zip`;
}

/** With four bytes each and the extension, still below the 255 bytes of file systems. */
const TITLE_CHARACTERS_MAX = 60;
