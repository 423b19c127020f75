/** One decoder of hostile bytes under mutation. */
export interface FuzzTarget {
  /** Unique; `--target` chooses by it. */
  readonly name: string;
  /** Inputs that are accepted, or nearly: mutations start from them. At least one. */
  readonly corpus: readonly Uint8Array[];
  /** The error classes that mean "refused", which is a fine answer. Everything else is a crash. */
  readonly refusals: readonly (abstract new (...args: never[]) => Error)[];
  /**
   * Feeds one input, and may check what holds for every accepted one (a round trip, say) by throwing.
   *
   * @param input - Belongs to the callee: it is not used again.
   */
  run(input: Uint8Array): void;
}

/** Thrown by targets whose decoder says by its result that it refuses. */
export class Refused extends Error {}

/** What each file in `targets/` exports. */
export interface FuzzTargetModule {
  readonly targets: readonly FuzzTarget[];
}
