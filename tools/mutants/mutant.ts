/**
 * A deliberate break of the code that the tests have to notice. Each room has a list of mutants in `lists/ROOM.ts`.
 */
export interface Mutant {
  /** Short, unique, and says what is broken: `tracker: a stop forgets nobody`. */
  readonly name: string;
  /** The path below the top of the repository. */
  readonly file: string;
  /** It occurs exactly once in the file. */
  readonly from: string;
  /** Its replacement. The file must still compile. */
  readonly to: string;
  /** Filters of `npm test`. At least one of these tests must fail. */
  readonly tests: readonly string[];
}

/**
 * Returns the file with the break in it.
 *
 * @throws {Error} When `from` does not occur in it exactly once: the code has changed, and the mutant must change too.
 */
export function mutate(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.from);
  if (parts.length !== 2) {
    throw new Error(
      `${mutant.name}: its text stands ${parts.length - 1} times in ${mutant.file}, not once`,
    );
  }
  return parts.join(mutant.to);
}

/** Every n-th of a list, so that about `count` remain and each part of the list is represented. */
export function sample<T>(list: readonly T[], count: number): readonly T[] {
  if (count >= list.length) return list;
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}
