import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "./command-error.ts";
import { listenOnFirst } from "./listening.ts";

/** Listens as a machine on which some ports are refused with a code of the system. */
function machine(refused: Readonly<Record<number, string>>) {
  const tried: number[] = [];
  const taken: number[] = [];
  const listenOn = (...ports: readonly number[]): Promise<string> =>
    listenOnFirst(
      { host: "127.0.0.1", ports, setting: "--port", handleTaken: (port) => taken.push(port) },
      async ({ host, port }) => {
        tried.push(port);
        const code = refused[port];
        if (code !== undefined) throw Object.assign(new Error(code), { code });
        return `${host}:${port}`;
      },
    );
  return { tried, taken, listenOn };
}

test("the first free port is used, and each taken one before it is reported", async () => {
  const { tried, taken, listenOn } = machine({ 1: "EADDRINUSE", 2: "EADDRINUSE" });
  assert.equal(await listenOn(1, 2, 0, 3), "127.0.0.1:0");
  assert.deepEqual(tried, [1, 2, 0]);
  assert.deepEqual(taken, [1, 2]);
});

test("when all ports are taken, the error names the last one and how to choose another", async () => {
  const { taken, listenOn } = machine({ 1: "EADDRINUSE", 2: "EADDRINUSE" });
  await assert.rejects(listenOn(1, 2), (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, "port-taken");
    assert.match(error.detail, /^Port 2 is in use/);
    assert.match(error.hint ?? "", /--port/);
    return true;
  });
  assert.deepEqual(taken, [1], "nothing follows the last one");
});

for (const [refusal, code] of [
  ["EACCES", "not-allowed"],
  ["EADDRNOTAVAIL", "not-found"],
  ["EMFILE", "unreachable"],
] as const) {
  test(`${refusal} ends the search at once, because another port would not help`, async () => {
    const { tried, listenOn } = machine({ 1: refusal });
    await assert.rejects(listenOn(1, 2), { code });
    assert.deepEqual(tried, [1]);
  });
}
