import { Mutator } from "./mutator.ts";
import type { FuzzTarget } from "./target.ts";

export interface FuzzCrash {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface FuzzResult {
  readonly executions: number;
  readonly accepted: number;
  readonly crash: FuzzCrash | undefined;
}

/**
 * Mutates and runs until the first crash or until `goOn` returns false.
 *
 * @param options.goOn - Called before each execution with its input.
 */
export function fuzz(
  target: FuzzTarget,
  options: {
    readonly seed: number;
    readonly goOn: (executions: number, input: Uint8Array) => boolean;
  },
): FuzzResult {
  const mutator = new Mutator(target.corpus, options.seed);
  let accepted = 0;
  for (let executions = 0; ; executions += 1) {
    const input = mutator.next();
    if (!options.goOn(executions, input)) return { executions, accepted, crash: undefined };
    try {
      target.run(input.slice());
      accepted += 1;
      mutator.keep(input);
    } catch (error) {
      if (target.refusals.some((refusal) => error instanceof refusal)) continue;
      return { executions: executions + 1, accepted, crash: { input, error } };
    }
  }
}
