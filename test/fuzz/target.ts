/** One decoder of hostile bytes under mutation. */
export interface FuzzTarget {
  /** A unique name; `--target` selects it. */
  readonly name: string;
  /** Inputs that are accepted, or nearly: mutations start from them. At least one. */
  readonly corpus: readonly Uint8Array[];
  /** The error classes that mean "refused", which is a valid answer. Every other error is a crash. */
  readonly refusals: readonly (abstract new (...args: never[]) => Error)[];
  /**
   * Feeds one input. It may check properties of every accepted input (for example a round trip) by throwing.
   *
   * @param input - Owned by the callee: it is not used again.
   */
  run(input: Uint8Array): void;
}

/** Thrown by targets whose decoder refuses by its result. */
export class Refused extends Error {}

/** The exports of each file in `targets/`. */
export interface FuzzTargetModule {
  readonly targets: readonly FuzzTarget[];
}
