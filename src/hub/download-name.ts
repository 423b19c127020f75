/**
 * `Content-Disposition` for a file whose name came from outside: always an attachment, the name once in plain
 * ASCII for old readers and once in full (RFC 6266). Nothing in it can end the header (HUB-5, rule 7).
 */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const full = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${full}`;
}

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
