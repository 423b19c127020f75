import type { Mutant } from "../mutant.ts";

const CONTRACT = ["src/platform/content-contract"];
const STORES = ["test/swarm/stores"];

/** The parts of a content, and stores that have only some of them. */
export const mutants: readonly Mutant[] = [
  {
    name: "content: padding in the middle of a piece is hashed as it came",
    file: "src/engine/judged-store.ts",
    from: "if (extent.pad) slab.view.fill(0, at, at + length);",
    to: "if (extent.pad && length < 0) slab.view.fill(0, at, at + length);",
    tests: CONTRACT,
  },
  {
    name: "content: jobs for one piece do not wait for each other",
    file: "src/engine/judged-store.ts",
    from: "    if (line) {\n      line.push(run);\n      return;\n    }",
    to: "    if (line) {\n      job(onDone);\n      return;\n    }",
    tests: CONTRACT,
  },
  {
    name: "content: a store is closed while pieces of it are judged",
    file: "src/engine/judged-store.ts",
    from: "    if (this.#lines.size > 0) return;\n",
    to: "",
    tests: CONTRACT,
  },
  {
    name: "content: a piece nobody knows the hash of is intact",
    file: "src/base/piece-hashes.ts",
    from: "if (isKnown && !wrongV1 && !wrongV2) return undefined;",
    to: "if (!wrongV1 && !wrongV2) return undefined;",
    tests: CONTRACT,
  },
  {
    name: "content: what is not stored is a failure of the store",
    file: "src/engine/judged-store.ts",
    from: 'return code === "ENOENT" || code === "ENOTDIR" || code === "EOF";',
    to: 'return code === "never";',
    tests: CONTRACT,
  },
  {
    name: "content: a store that refused is never tried again",
    file: "src/engine/storage/store-recovery.ts",
    from: 'if (this.#stage === "waiting" && now >= this.#retryAtMs) this.#prove();',
    to: "if (now < 0) this.#prove();",
    tests: STORES,
  },
  {
    name: "content: without stamps no resume is believed",
    file: "src/engine/content-layout.ts",
    from: "  if (resume) {\n    const have = resume.have.clone();",
    to: "  if (resume?.clean === false) {\n    const have = resume.have.clone();",
    tests: STORES,
  },
  {
    name: "content: where nothing has a place, what becomes wanted is waited for",
    file: "src/engine/storage/torrent-files.ts",
    from: "return this.#placing?.isUnderWay === true;",
    to: "return this.#placing?.isUnderWay !== false;",
    tests: STORES,
  },
  {
    name: "content: what is published is replaced while the engine still closes it",
    file: "src/publish/everseed.ts",
    from: "    if (awake) await this.#putToSleep(torrentId, awake);\n    await replace();",
    to: "    if (awake) void this.#putToSleep(torrentId, awake);\n    await replace();",
    tests: ["src/publish/everseed"],
  },
  {
    name: "content: what is being replaced is opened",
    file: "src/publish/everseed.ts",
    from: "    await this.#replacing.get(id);\n",
    to: "",
    tests: ["src/publish/everseed"],
  },
];
