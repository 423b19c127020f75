import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "page: what moves up in the queue pushes those that move with it",
    file: "src/transfers/queue-moves.ts",
    from: "if (wanted.has(id) && !wanted.has(before))",
    to: "if (wanted.has(id))",
    tests: ["src/transfers/queue-moves"],
  },
  {
    name: "page: transfers that share a position stay so",
    file: "src/transfers/queue-moves.ts",
    from: "distinct.push(Math.max(position, (distinct.at(-1) ?? -Infinity) + 1));",
    to: "distinct.push(position);",
    tests: ["src/transfers/queue-moves"],
  },
  {
    name: "page: the bytes of before a start are speed",
    file: "src/transfers/speed-history.ts",
    from: "    this.#seen.delete(id);\n  }\n\n  forget",
    to: "  }\n\n  forget",
    tests: ["src/transfers/speed-history"],
  },
  {
    name: "page: a slot keeps the bytes of a day before",
    file: "src/transfers/speed-history.ts",
    from: "if (slot < this.#slot || slot >= this.#slot + slots) {",
    to: "if (slot < this.#slot) {",
    tests: ["src/transfers/speed-history"],
  },
  {
    name: "page: the journal of a transfer grows without an end",
    file: "src/transfers/transfer-journal.ts",
    from: "if (lines.length > LINES_MAX) lines.shift();",
    to: "",
    tests: ["src/transfers/transfer-journal"],
  },
  {
    name: "page: the rarest pieces are looked for among those that are here",
    file: "src/transfers/piece-map.ts",
    from: "!have || have.full || !have.has(piece)",
    to: "!have || have.full || have.has(piece)",
    tests: ["src/transfers/piece-map"],
  },
  {
    name: "page: one refusal ends a command for many",
    file: "src/hub/transfer-batch.ts",
    from: "        if (!refusal) throw error;",
    to: "        throw error;",
    tests: ["test/transfers/transfer-api"],
  },
];
