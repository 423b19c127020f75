import assert from "node:assert/strict";
import { test } from "node:test";
import { JobLine } from "./job-line.ts";

/** A line whose jobs record their start and end when the test says so. */
function observed() {
  const line = new JobLine();
  const started: string[] = [];
  const releases = new Map<string, () => void>();
  const job = (name: string) => (release: () => void) => {
    started.push(name);
    releases.set(name, release);
  };
  return { line, started, job, end: (name: string) => releases.get(name)!() };
}

test("jobs run concurrently; one that must run alone waits for them and delays the next", () => {
  const { line, started, job, end } = observed();
  line.join("shared", job("a"));
  line.join("shared", job("b"));
  line.join("alone", job("c"));
  line.join("shared", job("d"));
  assert.deepEqual(started, ["a", "b"]);
  end("a");
  assert.deepEqual(started, ["a", "b"]);
  end("b");
  assert.deepEqual(started, ["a", "b", "c"]);
  end("c");
  assert.deepEqual(started, ["a", "b", "c", "d"]);
});

test("a sweep runs beside everything, and only the last waits for it", () => {
  const { line, started, job, end } = observed();
  line.joinUnordered(job("sweep"));
  line.join("alone", job("a"));
  line.joinLast(job("last"));
  line.joinLast(job("last again"));
  assert.deepEqual(started, ["sweep", "a"]);
  end("a");
  assert.deepEqual(started, ["sweep", "a"]);
  end("sweep");
  assert.deepEqual(started, ["sweep", "a", "last", "last again"]);
});
