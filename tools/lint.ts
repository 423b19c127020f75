import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { readDocument } from "./documents.ts";
import { faultsOfLock, readLock } from "./lock-file.ts";

const ours = [
  ...faultsOfLock(readLock()).map((fault) => `package-lock.json: ${fault}`),
  ...globSync("{*,{bench,docs,src,test,tools,web}/**/*}.md").flatMap(readDocument),
];
for (const fault of ours) console.error(fault);
if (ours.some((fault) => fault.startsWith("package-lock.json"))) {
  console.error("Run: tools/run node tools/lock-file.ts --mend");
}

// tools/run puts node_modules/.bin on the PATH; the arguments (paths, --fix) are passed on to oxlint.
const { status, error } = spawnSync(
  "oxlint",
  [
    "--type-aware",
    "--deny-warnings",
    "--report-unused-disable-directives",
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);
if (error) throw error;
process.exitCode = ours.length > 0 ? 1 : (status ?? 1);
