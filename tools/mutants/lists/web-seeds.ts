import type { Mutant } from "../mutant.ts";

const SWARM = ["test/swarm/web-seeds"];
const FILES = ["test/swarm/web-seed-files"];

/** Web seeds as sources of blocks, and the guard in front of them. */
export const mutants: readonly Mutant[] = [
  {
    name: "web seeds: an answer that begins elsewhere is taken",
    file: "src/engine/webseed/range-answer.ts",
    from: "if (sent.first !== range.first || sent.last > range.last)",
    to: "if (sent.last > range.last)",
    tests: ["src/engine/webseed"],
  },
  {
    name: "web seeds: a corrupt piece of one server alone has no consequence",
    file: "src/engine/torrent/transfer.ts",
    from: 'this.#banWebSeed(output.sender, "sent a piece that is not the torrent\'s");',
    to: "",
    tests: SWARM,
  },
  {
    name: "web seeds: a silent server is waited for",
    file: "src/engine/webseed/web-line.ts",
    from: 'if (this.#exchange.kind === "none" || now - this.lastReceivedAtMs < SILENT_MS) return;',
    to: "if (now - this.lastReceivedAtMs < 1000 * SILENT_MS) return;",
    tests: SWARM,
  },
  {
    name: "web seeds: pieces of a server are as scattered as those of a peer",
    file: "src/engine/picker/piece-chooser.ts",
    from: "peer.isServer ? this.#nextOfRun(peer, found) : this.#nextOf(peer, found);",
    to: "this.#nextOf(peer, found);",
    tests: SWARM,
  },
  {
    name: "web seeds: padding keeps what was in memory before",
    file: "src/engine/webseed/web-line.ts",
    from: "if (!file.pad) return false;",
    to: "return false;",
    tests: FILES,
  },
  {
    name: "web seeds: blocks of a file that is missing there are waited for",
    file: "src/engine/webseed/web-line.ts",
    from: "        this.#giveBack(plan.file);\n        continue;",
    to: "",
    tests: FILES,
  },
  {
    name: "web seeds: a torrent leads to any port of the server that it came from",
    file: "src/guard/web-seed-guard.ts",
    from: "const places = nearest.filter((address) => near?.has(formatEndpoint({ address, port })));",
    to: "const places = near ? nearest.filter(() => port > 0) : [];",
    tests: ["src/guard/web-seed"],
  },
];
