import { type QueryExecutorProvider, sql } from "kysely";

// Shorter words are similar to too many others.
const CHARACTERS_MIN = 4;
const CHARACTERS_MAX = 32;
/** Only this many leading characters of a longer word make its clues; the rest is compared afterwards. */
const CLUE_CHARACTERS = 8;
/** Words that share a clue and are compared. */
const COMPARED_MAX = 200;
const NEAR_MAX = 8;

/**
 * Indexes words by their misspellings. Words with digits are left out, because they cannot be guessed.
 *
 * @param words - As `searchWords` gives them.
 */
export async function addClues(db: QueryExecutorProvider, words: readonly string[]): Promise<void> {
  const pairs = words
    .filter(canBeGuessed)
    .flatMap((word) => cluesOf(word).map((clue) => [clue, word.toLowerCase()]));
  await sql`insert or ignore into search_clues (clue, word)
    select value ->> 0, value ->> 1 from json_each(${JSON.stringify(pairs)})`.execute(db);
}

/** @returns Words of the catalogue that `typed` may be a misspelling of, or of their beginning. */
export async function nearWords(db: QueryExecutorProvider, typed: string): Promise<string[]> {
  if (!canBeGuessed(typed)) return [];
  const { rows } = await sql<{ word: string }>`
    select distinct word from search_clues
    where clue in (select value from json_each(${JSON.stringify(cluesOf(typed))}))
    limit ${COMPARED_MAX}`.execute(db);
  return rows
    .map(({ word }) => word)
    .filter((word) => beginsNearly(letters(word), letters(typed)))
    .slice(0, NEAR_MAX);
}

function canBeGuessed(word: string): boolean {
  const { length } = letters(word);
  return length >= CHARACTERS_MIN && length <= CHARACTERS_MAX && !/\p{N}/u.test(word);
}

/**
 * The word, and the word without each of its letters. Two words that differ by one slip share at least one of these,
 * so a few lookups by key find them among any number of words.
 */
function cluesOf(word: string): string[] {
  const all = letters(word).slice(0, CLUE_CHARACTERS);
  const clues = all.map((_, index) => all.toSpliced(index, 1).join(""));
  return [...new Set([all.join(""), ...clues])];
}

/** True when `typed` is the beginning of `word` except for one letter: wrong, missing, added, or two swapped. */
function beginsNearly(word: readonly string[], typed: readonly string[]): boolean {
  let at = 0;
  while (at < typed.length && word[at] === typed[at]) at += 1;
  const goesOn = (wordAt: number, typedAt: number): boolean =>
    typed.slice(typedAt).every((letter, index) => word[wordAt + index] === letter);
  return (
    goesOn(at + 1, at + 1) ||
    goesOn(at + 1, at) ||
    goesOn(at, at + 1) ||
    (word[at] === typed[at + 1] && word[at + 1] === typed[at] && goesOn(at + 2, at + 2))
  );
}

/** The letters without case and accents. */
function letters(word: string): string[] {
  return [...word.toLowerCase().normalize("NFD").replaceAll(/\p{M}/gu, "")];
}
