import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { faultsOf, readLists } from "./lists.ts";
import { mutate, sample } from "./mutant.ts";

// npm run mutants [-- --sample N] [--jobs N] [NAME...]
// Breaks the code in a copy of the checkout, one mutant after the other, and runs the tests that must notice.

/** Tests that run longer than this hang. A test that hangs instead of failing is itself a fault. */
const TIMEOUT_MS = 240_000;

type Verdict = "caught" | "lived" | "hung" | "does not compile";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string", default: "100000" },
    jobs: { type: "string", default: String(availableParallelism()) },
  },
});
const repository = resolve(import.meta.dirname, "../..");
const all = await readLists();
const faults = faultsOf(all);
if (faults.length > 0) fail(faults.join("\n"));
const named = all.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);
const chosen = sample(named, wholeNumber(values.sample, "--sample"));
if (chosen.length === 0) fail(`no mutant is named ${positionals.join(" ")}`);

const world = mkdtempSync(join(tmpdir(), "everseed-mutants-"));
process.on("exit", () => rmSync(world, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const copies = Array.from(
  { length: Math.min(wholeNumber(values.jobs, "--jobs"), chosen.length) },
  makeCopy,
);
await expectGreen(copies[0]!);
const waiting = [...chosen];
const survivors: string[] = [];
await Promise.all(copies.map(work));
console.log(
  `${chosen.length} of ${all.length} mutants, ${chosen.length - survivors.length} caught`,
);
for (const line of survivors) console.error(line);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** The files that git tracks or would add, the packages, and the built pages. */
function makeCopy(_: unknown, index: number): string {
  const copy = join(world, String(index));
  const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: repository,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (listed.status !== 0) fail(`git ls-files: ${listed.stderr}`);
  for (const file of new Set(listed.stdout.split("\0"))) {
    if (file === "") continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(repository, file), join(copy, file), { force: true });
  }
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
  cpSync(join(repository, "web/dist"), join(copy, "web/dist"), { recursive: true });
  return copy;
}

/** Without a break the tests must pass here; otherwise they prove nothing. */
async function expectGreen(copy: string): Promise<void> {
  const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
  const { code, output } = await runTests(copy, tests, TIMEOUT_MS * 10);
  if (code !== 0) fail(`the tests fail before anything is broken:\n${output.slice(-4000)}`);
}

async function work(copy: string): Promise<void> {
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const path = join(copy, mutant.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, mutate(mutant, source));
    const beginMs = performance.now();
    const verdict = judge(await runTests(copy, mutant.tests, TIMEOUT_MS));
    writeFileSync(path, source);
    const seconds = ((performance.now() - beginMs) / 1000).toFixed(1);
    console.log(`${verdict.padEnd(6)} ${mutant.name} (${seconds} s)`);
    if (verdict !== "caught") survivors.push(`${verdict}: ${mutant.name} (${mutant.file})`);
  }
}

function judge({ code, output }: { code: number | undefined; output: string }): Verdict {
  if (code === undefined) return "hung";
  if (code === 0) return "lived";
  if (/ERR_INVALID_TYPESCRIPT_SYNTAX|SyntaxError|ERR_MODULE_NOT_FOUND/.test(output)) {
    return "does not compile";
  }
  return "caught";
}

/** @returns The exit code; `undefined` when the tests did not end in time. */
function runTests(
  copy: string,
  filters: readonly string[],
  timeoutMs: number,
): Promise<{ code: number | undefined; output: string }> {
  return new Promise((resolveRun, reject) => {
    // A separate process group, so that whatever the tests started ends with them.
    const child = spawn(join(copy, "tools/run"), ["node", "tools/test.ts", ...filters], {
      cwd: copy,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let isLate = false;
    const take = (text: Buffer): void => {
      output = (output + text.toString("utf8")).slice(-1_000_000);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolveRun({ code: isLate ? undefined : (code ?? 1), output });
    });
  });
}

function wholeNumber(text: string, option: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  return fail(`${option} takes a whole number above zero, not ${text}`);
}

function fail(words: string): never {
  console.error(words);
  process.exit(2);
}
