import type { Mutant } from "../mutant.ts";

export const mutants: readonly Mutant[] = [
  {
    name: "transfers: each turn counts half an hour of sleep",
    file: "src/transfers/asleep-times.ts",
    from: "return Math.min(ROUND_MS, Math.round(nowMs - sinceMs));",
    to: "return ROUND_MS + 0 * sinceMs;",
    tests: ["test/transfers/sleeping"],
  },
  {
    name: "transfers: a move begins although a file is in the way",
    file: "src/transfers/chore-runner.ts",
    from: "if (there !== undefined) {",
    to: "if (there === '') {",
    tests: ["test/transfers/moves"],
  },
  {
    name: "transfers: a move that failed leaves what has arrived where it is",
    file: "src/transfers/transfer-chores.ts",
    from: "    if (await files.stat(target)) await moveFile(files, target, path);\n",
    to: "",
    tests: ["src/transfers/transfer-chores"],
  },
  {
    name: "transfers: a move that failed leaves an unfinished copy",
    file: "src/transfers/transfer-chores.ts",
    from: "    await files.remove(`${target}${PARTIAL}`);\n",
    to: "",
    tests: ["src/transfers/transfer-chores"],
  },
  {
    name: "transfers: a chore is not in the row before it begins",
    file: "src/transfers/chore-runner.ts",
    from: "    await this.#parts.running.update(id, { chore: JSON.stringify(chore) });\n",
    to: "",
    tests: ["test/transfers/moves"],
  },
  {
    name: "transfers: a download forgets its order of files when it is opened",
    file: "src/transfers/transfer-opener.ts",
    from: "          order: fetchOrder(choices),\n",
    to: "",
    tests: ["test/transfers/file-order"],
  },
  {
    name: "transfers: an order of files holds after the next start only",
    file: "src/transfers/transfer-edits.ts",
    from: "    if (changesOrder(edit)) awake.torrent.setOrder(fetchOrder(choices));\n",
    to: "",
    tests: ["test/transfers/file-order"],
  },
  {
    name: "picker: a piece before the mark of a sequence is not seen",
    file: "src/engine/picker/piece-sequence.ts",
    from: "    this.#marks[rank] = Math.min(this.#marks[rank]!, piece >>> 5);\n",
    to: "",
    tests: ["src/engine/picker/piece-sequence"],
  },
  {
    name: "picker: a suggestion breaks the sequence",
    file: "src/engine/picker/rarity-order.ts",
    from: "    if (!this.#sequence) return this.#bucketOf(a) <= this.#bucketOf(b);\n",
    to: "    if (this.#width > 0) return this.#bucketOf(a) <= this.#bucketOf(b);\n",
    tests: ["src/engine/picker/piece-sequence"],
  },
];
