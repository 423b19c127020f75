import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzApi } from "./api/api-fuzz.ts";
import { openApiWorld } from "./api/api-world.ts";
import { runTarget } from "./fuzz-job.ts";
import type { FuzzTargetModule } from "./target.ts";

// npm run fuzz [-- --seconds N --target NAME --seed S]

/** Generous, because the machine may be busy: a hang lasts for ever, not ten seconds. */
const HANG_MS = 10_000;

const API_TARGET = "api";

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
const fuzzesApi = values.target === undefined || values.target === API_TARGET;
if (chosen.length === 0 && !fuzzesApi) {
  const names = [...found.map(({ name }) => name), API_TARGET].join(", ");
  console.error(`no target ${values.target}; there are: ${names}`);
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

if (fuzzesApi) await fuzzWholeHub();

/** The API is no decoder: a whole hub answers, one seed after the other. */
async function fuzzWholeHub(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "everseed-fuzz-"));
  const world = await openApiWorld(folder);
  const until = Date.now() + seconds * 1_000;
  let requests = 0;
  try {
    for (let round = seed; Date.now() < until; round += 1) {
      requests += (await fuzzApi(world, { seed: round, triesPerOperation: 20 })).requests;
    }
    console.log(`${API_TARGET}: ${requests} requests`);
  } catch (error) {
    console.error(`${API_TARGET}: ${String(error)}`);
    process.exitCode = 1;
  } finally {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function wholeNumber(text: string, option: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  console.error(`${option} takes a whole number, not ${text}`);
  process.exit(2);
}
