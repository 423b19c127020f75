import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { runTarget } from "./fuzz-job.ts";
import type { FuzzTargetModule } from "./target.ts";

// npm run fuzz [-- --seconds N --target NAME --seed S]

/** Generous, because the machine may be busy: a hang lasts for ever, not ten seconds. */
const HANG_MS = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    target: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
});
const seconds = wholeNumber(values.seconds, "--seconds");
const seed = wholeNumber(values.seed, "--seed");

const folder = new URL("./targets/", import.meta.url);
const found: { name: string; moduleUrl: string }[] = [];
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
  const moduleUrl = new URL(file, folder).href;
  const { targets } = (await import(moduleUrl)) as FuzzTargetModule;
  for (const { name } of targets) found.push({ name, moduleUrl });
}
const chosen = found.filter(({ name }) => values.target === undefined || values.target === name);
if (chosen.length === 0) {
  console.error(
    `no target ${values.target}; there are: ${found.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

console.log(`seed ${seed}`);
for (const { name, moduleUrl } of chosen) {
  const report = await runTarget({ moduleUrl, target: name, seed, seconds, hangMs: HANG_MS });
  console.log(`${name}: ${report.executions} executions, ${report.accepted} accepted`);
  if (!report.crash) continue;
  console.error(`${name}: crash with seed ${seed} after ${report.executions} executions`);
  console.error(report.crash.error);
  console.error(`input: ${Buffer.from(report.crash.input).toString("hex")}`);
  process.exitCode = 1;
}

function wholeNumber(text: string, option: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  console.error(`${option} takes a whole number, not ${text}`);
  process.exit(2);
}
