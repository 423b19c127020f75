// C0 and C1 controls, delete, line separators, and characters that change the direction of text.
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** What `styleText` of Node writes. */
const COLOUR = /\u001b\[[0-9;]{1,20}m/y;

/**
 * Makes text from a torrent, a peer or a hub fit for a terminal: characters that could move the cursor, change
 * colours or turn the writing direction are shown as `\x1b`, `\u202e` (CLI-1).
 */
export function escapeOutside(text: string): string {
  return text.toWellFormed().replace(DANGEROUS, shown);
}

/**
 * Our own words with outside text in them, as they go to a terminal: what was not escaped where it was put in is escaped
 * here. Line breaks, tabs and colours stay, because our words have them.
 */
export function escapeForgotten(words: string): string {
  return words.toWellFormed().replace(DANGEROUS, (character, at: number) => {
    if (character === "\n" || character === "\t") return character;
    COLOUR.lastIndex = at;
    return character === "\u001b" && COLOUR.test(words) ? character : shown(character);
  });
}

function shown(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

/** One line of JSON in which no byte can steer a terminal (CLI-1). */
export function safeJson(value: unknown): string {
  return escapeInJson(JSON.stringify(value));
}

/** The same for JSON that another program wrote; line breaks are removed. */
export function escapeInJson(line: string): string {
  return line.replace(DANGEROUS, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
