import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "picker: the last blocks are asked of one peer",
    file: "src/engine/picker/piece-picker.ts",
    from: "!options.snubbed && this.#endGame.takesPart(who)) {",
    to: "!options.snubbed && blocksMax < 0 && this.#endGame.takesPart(who)) {",
    tests: ["test/swarm/deciding"],
  },
];
