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
    name: "picker: pieces are chosen by chance",
    file: "src/engine/picker/piece-chooser.ts",
    from: "const isRandom = options.snubbed || (isFirst && !rarity.isSequential);",
    to: "const isRandom = !options.choked || (isFirst && !rarity.isSequential);",
    tests: ["test/swarm/deciding"],
  },
  {
    name: "picker: copies make no piece less rare",
    file: "src/engine/picker/rarity-order.ts",
    from: "    if (this.#listed.has(piece)) {\n      const next = this.#bucketOf(piece) + 1;",
    to: "    if (copies < 0) {\n      const next = this.#bucketOf(piece) + 1;",
    tests: ["test/swarm/deciding"],
  },
  {
    name: "choker: every slot is for those that give most",
    file: "src/engine/upload/choker.ts",
    from: "    const optimistic = this.#chooseOptimistic(rest, now);\n    if (optimistic) {\n",
    to: "    const optimistic = this.#rankByGift(rest, now)[0];\n    if (optimistic) {\n",
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
  {
    name: "engine: a full torrent dials whoever is due",
    file: "src/engine/swarm/swarm.ts",
    from: "if (isFull && !this.#mayChallenge(now)) return undefined;",
    to: "if (isFull && this.#challenger) return undefined;",
    tests: ["test/swarm/places"],
  },
  {
    name: "engine: a peer that is dialled above the limit stays there",
    file: "src/engine/swarm/swarm.ts",
    from: "const isOver = this.#peers.size > this.#options.settings.connectionsPerTorrentMax;",
    to: "const isOver = this.#peers.size > 2 * this.#options.settings.connectionsPerTorrentMax;",
    tests: ["test/swarm/places"],
  },
];
