import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Reach } from "../../src/api/reach.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { initialised, start } from "./whole-hub.ts";

test("what the page Connections stores holds after a restart, and at once where it can", async (t) => {
  const { dataDir, token } = await initialised(t);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const reachOf = async (hub: RunningHub, init: RequestInit = {}): Promise<Reach> => {
    const response = await fetch(`${hub.url}/api/v1/reach`, { headers, ...init });
    assert.equal(response.status, 200);
    return (await response.json()) as Reach;
  };
  const first = await start(t, dataDir);
  const before = await reachOf(first);
  assert.deepEqual(
    [before.parts.port?.port, before.parts.port?.connectionsMax, before.parts.port?.state],
    [first.peerPort, 500, "warns"],
  );
  assert.match(before.parts.encryption?.words ?? "", /where the peer can/);
  const settings = { "engine.encryption": "require", "engine.connectionsMax": 123 };
  const body = JSON.stringify({ settings });
  const { parts } = await reachOf(first, { method: "PATCH", body });
  assert.equal(parts.port?.connectionsMax, 123);
  assert.match(parts.encryption?.words ?? "", /Every stream to peers is encrypted/);
  await first.stop();

  const again = await reachOf(await start(t, dataDir));
  assert.equal(again.parts.port?.connectionsMax, 123);
  const kept = again.settings.filter(({ origin }) => origin === "page");
  assert.deepEqual(Object.fromEntries(kept.map(({ key, value }) => [key, value])), settings);
});

test("what the page Connections chose and is gone by now keeps no hub from starting, and is told", async (t) => {
  const { dataDir, token } = await initialised(t);
  const [list, page] = [join(dataDir, "list"), join(dataDir, "page")];
  await writeFile(list, "9.9.9.9\n");
  await writeFile(page, "<html>");
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const patch = async (hub: RunningHub, settings: Record<string, unknown>) => {
    const body = JSON.stringify({ settings });
    return fetch(`${hub.url}/api/v1/reach`, { headers, method: "PATCH", body });
  };
  const first = await start(t, dataDir);
  const refused = await patch(first, { "engine.ipFilters": [list, page] });
  assert.equal(refused.status, 400);
  assert.match(
    await refused.text(),
    /\\"IP filters\\": The IP filter \S+page cannot be used: no line of it is an address/,
  );
  const wanted = { "engine.ipFilters": [list], "engine.interface": "tun99" };
  assert.equal((await patch(first, wanted)).status, 200);
  await first.stop();
  await rm(list);

  const lines: string[] = [];
  const told = (text: string): void => void lines.push(text);
  const log: Log = { ...SILENT_LOG, warn: told, error: told };
  const again = await start(t, dataDir, {}, log);
  const reach = (await (await fetch(`${again.url}/api/v1/reach`, { headers })).json()) as Reach;
  const troubles = reach.settings.flatMap(({ key, trouble }) => (trouble ? [[key, trouble]] : []));
  const absence = "The interface tun99 is not there, so nothing is sent to peers and trackers.";
  const gone = `The IP filter ${list} cannot be used: there is no such file`;
  assert.deepEqual(troubles, [
    ["engine.interface", absence],
    ["engine.ipFilters", `${gone}.`],
  ]);
  const { interface: bound, ipFilters } = reach.parts;
  assert.deepEqual([bound!.state, bound!.words], ["fails", absence]);
  assert.deepEqual(
    [ipFilters!.state, ipFilters!.words],
    ["fails", `No address is kept away. ${gone}.`],
  );
  assert.ok(
    lines.some((line) => line.startsWith(gone)),
    lines.join("\n"),
  );
  await again.stop();

  // The file of the settings can be changed without a hub.
  const engine = { port: 0, ipFilters: [list] };
  const config = loadConfig({ env: {}, overrides: { dataDir, port: 0, engine } });
  const refusing = runHub(config, log, { origins: new Map([["engine.ipFilters", "file"]]) });
  refusing.then(
    (hub) => t.after(() => hub.stop()),
    () => undefined,
  );
  await assert.rejects(refusing, (error) => {
    assert.ok(error instanceof Error && error.message.includes(gone), String(error));
    return true;
  });
});
