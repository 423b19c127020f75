const WORDS_MAX = 10;
const WORD_CHARACTERS_MAX = 64;

/**
 * Turns what a person typed into an FTS5 expression: every word as a prefix, all of them required.
 * Quotes and operators cannot get through: only letters, digits and marks are kept.
 *
 * @returns `undefined` when no word is left.
 */
export function searchExpression(query: string): string | undefined {
  const words = query.normalize("NFC").match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];
  if (words.length === 0) return undefined;
  return words
    .slice(0, WORDS_MAX)
    .map((word) => `"${[...word].slice(0, WORD_CHARACTERS_MAX).join("")}"*`)
    .join(" AND ");
}
