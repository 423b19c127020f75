import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { leftOver } from "./left-over.ts";
import { testFiles } from "./test-files.ts";

/**
 * `npm test -- [interop] [FILTER...]`: runs the tests whose path contains one of the filters.
 * Without `interop` these are all that need no foreign program.
 */
const repository = resolve(import.meta.dirname, "..");
const args = process.argv.slice(2);
const suite = args[0] === "interop" ? "interop" : "own";
const filters = suite === "interop" ? args.slice(1) : args;

const files = testFiles(suite, filters);

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(" ") || suite}`);
  process.exit(1);
}

// Foreign programs bind ports and load both cores: one file at a time there. The reporter ends with
// the counts of tests, passes and failures, which CI shows.
const concurrency = suite === "interop" ? 1 : availableParallelism();
// Whatever a test starts has it, and is to have ended with the test.
const run = { name: "EVERSEED_TEST_RUN", value: `${process.pid}-${Date.now()}` };
const { status, error } = spawnSync(
  join(repository, "tools/run"),
  [
    "node",
    "--test",
    `--test-concurrency=${concurrency}`,
    "--test-reporter=spec",
    "--test-timeout=300000",
    ...files,
  ],
  {
    cwd: repository,
    stdio: ["ignore", "inherit", "inherit"],
    // `bin/everseed` runs the sources, whatever was built: always the same is tested.
    env: {
      ...process.env,
      EVERSEED_TEST_SOURCES: "1",
      [run.name]: run.value,
      // It multicasts on no link to others, and asks no router.
      EVERSEED_TEST_LINKS: "own",
      EVERSEED_ROUTER_MAP_PORTS: "false",
      // A test that uses the DHT says so, with a node on loopback.
      EVERSEED_DISCOVERY_DHT: "false",
    },
  },
);
if (error) throw error;

let left = leftOver(run.name, run.value);
// What was killed at the end of the last test may take a moment.
for (let round = 0; left.length > 0 && round < 50; round += 1) {
  await setTimeout(100);
  left = leftOver(run.name, run.value);
}
for (const { pid, command } of left) {
  console.error(`a test has left process ${pid} behind: ${command}`);
  kill(pid);
}
process.exitCode = left.length > 0 ? 1 : (status ?? 1);

/** Ends a process, unless it has ended by itself. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== "ESRCH") throw failure;
  }
}
