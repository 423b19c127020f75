import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { copyBefore, THIS_COPY, type BenchCase, type BenchRow } from "./bench-case.ts";
import { check, create } from "./cases/create.ts";
import { many, manyLarge } from "./cases/many.ts";
import { dht } from "./cases/dht.ts";
import { show } from "./cases/show.ts";
import { firstStart, pages, start } from "./cases/start.ts";
import { swarmLarge, swarmSmall } from "./cases/swarm.ts";
import { webSeed } from "./cases/web-seed.ts";
import { oneToOne, overUtp, rc4, smallFiles, tinyFiles } from "./cases/transfer.ts";

const CASES: readonly BenchCase[] = [
  oneToOne,
  rc4,
  overUtp,
  smallFiles,
  tinyFiles,
  webSeed,
  swarmSmall,
  swarmLarge,
  create,
  check,
  show,
  start,
  firstStart,
  pages,
  many,
  manyLarge,
  dht,
];

const { values } = parseArgs({
  options: {
    case: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    shrink: { type: "string", default: "1" },
    scratch: { type: "string", default: os.tmpdir() },
    before: { type: "string" },
  },
});

const chosen = values.case ? CASES.filter((each) => values.case!.includes(each.name)) : CASES;
if (chosen.length === 0) {
  console.error(`no such case; there are: ${CASES.map((each) => each.name).join(", ")}`);
  process.exit(2);
}
const copies = values.before ? [THIS_COPY, copyBefore(values.before)] : [THIS_COPY];
const rows: BenchRow[] = [];
for (const each of chosen) {
  console.log(`\n${each.name}: ${each.about}`);
  const scratch = fs.mkdtempSync(path.join(values.scratch, "everseed-bench-"));
  try {
    const found = await each.run({
      copies,
      rounds: Number(values.rounds),
      shrink: Number(values.shrink),
      scratch,
    });
    rows.push(...found);
    for (const line of table(found)) console.log(line);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}
const out = path.join(import.meta.dirname, "out");
fs.mkdirSync(out, { recursive: true });
fs.writeFileSync(path.join(out, "last.json"), `${JSON.stringify(rows, null, 2)}\n`);

/** Medians; each of our rows also shows its ratio to the others of the same case. */
function table(found: readonly BenchRow[]): string[] {
  const lines = [
    "what                     program                   seconds     CPU s  peak MiB   time   CPU",
  ];
  for (const each of found) {
    const ours = found.find(({ what, program }) => what === each.what && program === "everseed")!;
    const ratios =
      each === ours
        ? ""
        : `  ${(ours.seconds / each.seconds).toFixed(2)}   ${(ours.cpuSeconds / each.cpuSeconds).toFixed(2)}`;
    lines.push(
      `${each.what.padEnd(24)} ${each.program.padEnd(24)}${each.seconds.toFixed(3).padStart(9)}` +
        `${each.cpuSeconds.toFixed(2).padStart(10)}${each.peakMiB.toFixed(0).padStart(10)}${ratios}`,
    );
  }
  return lines;
}
