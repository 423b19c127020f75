import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "picker: the last blocks are asked of one peer",
    file: "src/engine/picker/piece-picker.ts",
    from: "!options.snubbed && this.#endGame.takesPart(who)) {",
    to: "!options.snubbed && blocksMax < 0 && this.#endGame.takesPart(who)) {",
    tests: ["test/swarm/deciding"],
  },
  {
    name: "download: nobody is proved to have lied",
    file: "src/engine/download/smart-ban.ts",
    from: "        liars.add(address);\n",
    to: "",
    tests: ["test/hostile/liars"],
  },
  {
    name: "sharing: a limit of rate lets everything pass",
    file: "src/engine/sharing/rate-limit.ts",
    from: "    this.#tokens -= bytes;\n",
    to: "",
    tests: ["test/hostile/loopback-matrix"],
  },
];
