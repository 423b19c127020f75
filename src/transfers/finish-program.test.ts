import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { SILENT_LOG } from "../ports/log.ts";
import type { ProgramEnd, ProgramRun } from "../ports/programs.ts";
import { FinishProgram } from "./finish-program.ts";
import type { TransferEvent } from "./transfer-events.ts";

function finished(name: string, id = "b".repeat(40)): TransferEvent {
  return {
    kind: "finished",
    id,
    infohashes: { v1: new Uint8Array(20).fill(0xbb) },
    name,
    folder: "/srv",
    path: `/srv/${name}`,
    label: undefined,
    size: 7,
    message: undefined,
  };
}

function program(argv: readonly string[]) {
  const runs: (ProgramRun & { readonly end: (end: ProgramEnd) => void })[] = [];
  const lines: string[] = [];
  const tell = (message: string): void => void lines.push(message);
  const ran = new FinishProgram({
    argv,
    programs: {
      run: (run) =>
        new Promise((resolve) => {
          runs.push({ ...run, end: resolve });
          run.signal.addEventListener("abort", () =>
            resolve({ exit: undefined, isTimedOut: false, output: "" }),
          );
        }),
    },
    log: { ...SILENT_LOG, info: tell, warn: tell, error: tell },
  });
  return { ran, runs, lines };
}

const DONE: ProgramEnd = { exit: 0, isTimedOut: false, output: "" };

test("HUB-14: names reach the program as arguments and variables, whatever is in them", () => {
  for (const name of ["$(id)", "-rf", "a\nb", "; rm x", '"quoted"', "{id}", "nul\0in"]) {
    const { ran, runs } = program(["/bin/done", "{name}", "--of={name}", "{path}", "{other}"]);
    ran.handle(finished(name));
    const clean = name.replace("\0", "");
    assert.deepEqual(runs[0]!.argv, [
      "/bin/done",
      // It would be an option otherwise.
      clean.startsWith("-") ? `./${clean}` : clean,
      `--of=${clean}`,
      `/srv/${clean}`,
      "{other}",
    ]);
    assert.deepEqual(runs[0]!.variables, {
      EVERSEED_EVENT: "finished",
      EVERSEED_ID: "b".repeat(40),
      EVERSEED_INFOHASH: "bb".repeat(20),
      EVERSEED_NAME: clean,
      EVERSEED_FOLDER: "/srv",
      EVERSEED_PATH: `/srv/${clean}`,
      EVERSEED_LABEL: "",
      EVERSEED_SIZE: "7",
    });
  }
});

test("two run at one time, the others wait; at the stop those that run are ended, and no other begins", async () => {
  const { ran, runs, lines } = program(["/bin/done"]);
  ran.handle({ ...finished("x"), kind: "added" });
  for (let index = 0; index < 5; index += 1) ran.handle(finished("x", String(index)));
  assert.equal(runs.length, 2);
  runs[0]!.end(DONE);
  await setImmediate();
  assert.equal(runs.length, 3);
  runs[1]!.end({ exit: 3, isTimedOut: false, output: "no" });
  await setImmediate();
  await ran.close();
  assert.equal(runs.length, 4);
  assert.deepEqual(lines.slice(0, 2), [
    "the program for a finished transfer has run",
    "the program for a finished transfer has failed",
  ]);
  ran.handle(finished("late"));
  assert.equal(runs.length, 4);
});
