/** Each word adds a list of all torrents that have it. If there are more words, the longest are used: they say most. */
const WORDS_MAX = 5;
const WORD_CHARACTERS_MAX = 64;

/** The words of a text. Quotes and operators are dropped: only letters, digits and marks are kept. */
export function wordsOf(text: string): string[] {
  return text.normalize("NFC").match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];
}

/** The words of a person's search. */
export function searchWords(query: string): string[] {
  const words = [...new Set(wordsOf(query).map((word) => cut(word)))];
  if (words.length <= WORDS_MAX) return words;
  return words.toSorted((a, b) => b.length - a.length).slice(0, WORDS_MAX);
}

function cut(word: string): string {
  return [...word].slice(0, WORD_CHARACTERS_MAX).join("");
}

/**
 * An FTS5 expression: for every word, one of its spellings must begin a word of the torrent.
 *
 * @param spellings - For each word one or more, as `searchWords` gives them.
 */
export function searchExpression(spellings: readonly (readonly string[])[]): string {
  return spellings
    .map((words) => {
      const prefixes = words.map((word) => `"${word}"*`).join(" OR ");
      return words.length > 1 ? `(${prefixes})` : prefixes;
    })
    .join(" AND ");
}
