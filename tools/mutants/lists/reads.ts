import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "picker: what a reader needs soon comes when its turn comes",
    file: "src/engine/picker/piece-picker.ts",
    from: "const isRead = !this.urgent.deadlines.isEmpty && this.urgent.takesPart(who, options);",
    to: "const isRead = blocksMax < 0 && this.urgent.takesPart(who, options);",
    tests: ["src/engine/picker/urgent-pieces", "test/swarm/reads"],
  },
  {
    name: "picker: whoever began to read first is served first",
    file: "src/engine/picker/deadlines.ts",
    from: "Math.max(this.#nowMs, dueMsOf(cursor, next))",
    to: "dueMsOf(cursor, next)",
    tests: ["src/engine/picker/deadlines"],
  },
  {
    name: "reads: a reader that goes away leaves its requests behind",
    file: "src/engine/download/urgent-requests.ts",
    from: "if (isGiven(piece)) requests.giveBack(peer, piece, block);",
    to: "if (isGiven(piece) && piece < 0) requests.giveBack(peer, piece, block);",
    tests: ["src/engine/download/urgent-requests"],
  },
  {
    name: "reads: a silent peer is waited for",
    file: "src/engine/download/urgent-requests.ts",
    from: "if (!peer.isSilent || peer.key === -1) continue;",
    to: "if (now > 0) continue;",
    tests: ["src/engine/download/urgent-requests"],
  },
  {
    name: "reads: a piece is handed out unjudged",
    file: "src/engine/download/reads.ts",
    from: "} else if (judged.has(piece)) {",
    to: "} else if (have.has(piece)) {",
    tests: ["src/engine/download/reads"],
  },
  {
    name: "reads: what changed while it was read is handed out",
    file: "src/engine/download/reads.ts",
    from: "} else if (read && runs.every((run) => judged.has(run.piece))) {",
    to: "} else if (read) {",
    tests: ["src/engine/download/reads"],
  },
  {
    name: "reads: everything a reader may ever need comes before the rest",
    file: "src/engine/download/reads.ts",
    from: "const READ_AHEAD_MS = 30_000;",
    to: "const READ_AHEAD_MS = 30_000_000;",
    tests: ["src/engine/download/reads"],
  },
];
