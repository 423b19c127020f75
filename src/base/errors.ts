/**
 * The root of every error we throw on purpose. Each room has one subclass with a union of stable
 * codes; an edge (cli, hub) owns the table from code to its own language.
 */
export abstract class EverseedError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A bug in Everseed. Caught only to report it, never to continue. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * States a condition that must hold here.
 *
 * @param why - The reason it holds, so that a failure explains itself.
 * @throws {InvariantError} When it does not.
 */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${why}`);
}
