import type { Mutant } from "../mutant.ts";

/** Peers from peers and neighbours. */
export const mutants: readonly Mutant[] = [
  {
    name: "pex: a peer may name others as often as it likes",
    file: "src/pex/peer-exchange.ts",
    from: "if (!exchange.taken.take(1, this.#nowMs)) {",
    to: "if (this.#nowMs < 0) {",
    tests: ["test/swarm/pex"],
  },
  {
    name: "pex: nobody is dropped who has gone",
    file: "src/pex/peer-exchange.ts",
    from: "!here.has(key)).slice",
    to: "here.size < 0 && key).slice",
    tests: ["test/swarm/pex"],
  },
  {
    name: "pex: peers of one network fill the whole share",
    file: "src/engine/swarm/candidates.ts",
    from: "const NAMED_BY_NETWORK_MAX = 200;",
    to: "const NAMED_BY_NETWORK_MAX = 2000;",
    tests: ["test/swarm/pex"],
  },
  {
    name: "pex: a private torrent keeps it when its metadata says so",
    file: "src/engine/exchange/extension-exchange.ts",
    from: "ended.map((name) => [name, 0])",
    to: "ended.map((name) => [`${name}x`, 0])",
    tests: ["test/hostile/private-magnet"],
  },
  {
    name: "lsd: packets from anywhere are heard",
    file: "src/lsd/lsd.ts",
    from: "!this.#options.isNear(from.address) || ",
    to: "",
    tests: ["src/lsd/lsd"],
  },
  {
    name: "lsd: a program hears itself",
    file: "src/lsd/lsd.ts",
    from: "search.cookie === this.#cookie",
    to: "search.cookie === undefined",
    tests: ["src/lsd/lsd"],
  },
  {
    name: "super-seeding: what everybody has is shown as well as what is rare",
    file: "src/engine/upload/super-seeding.ts",
    from: "if (copies >= least || ",
    to: "if (best !== undefined || ",
    tests: ["test/swarm/super-seeding"],
  },
  {
    name: "super-seeding: it never ends",
    file: "src/engine/upload/super-seeding.ts",
    from: "pieces.count === this.#pieceCount) this.#isOver = true;",
    to: "pieces.count > this.#pieceCount) this.#isOver = true;",
    tests: ["test/swarm/super-seeding"],
  },
  {
    name: "swarm: addresses with the lowest priority are dialled first",
    file: "src/engine/swarm/candidates.ts",
    from: "a.candidate.lot > b.candidate.lot",
    to: "a.candidate.lot < b.candidate.lot",
    tests: ["src/engine/swarm/candidates"],
  },
  {
    name: "swarm: a peer of our own network decides how the world sees us",
    file: "src/engine/sharing/outer-addresses.ts",
    from: "if (reachOf(address) === REACH.world) this.#set",
    to: "this.#set",
    tests: ["src/engine/sharing/outer"],
  },
  {
    name: "swarm: in a full swarm nobody gives way to a newcomer",
    file: "src/engine/swarm/swarm.ts",
    from: "    return this.isFull && this.#giveWayTo(address, now);\n",
    to: "    return false;\n",
    tests: ["test/swarm/crowded"],
  },
];
