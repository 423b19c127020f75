import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { serviceManager } from "../../test/fixtures/service-manager.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { openSupervision } from "./supervision.ts";

class HandClock implements Clock {
  readonly timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  cancelled = 0;
  nowMs = (): number => 0;
  wallMs = (): number => 0;
  startTimer(delayMs: number, fire: () => void) {
    this.timers.push({ delayMs, fire });
    return { cancel: () => void (this.cancelled += 1) };
  }
}

for (const [kind, pathIn] of [
  ["path", (folder: string) => join(folder, "notify")],
  ["abstract name", () => `@everseed-test-${process.pid}`],
] as const) {
  test(`systemd hears at a socket with ${kind} that a node is ready, alive and ending`, async (context) => {
    const path = pathIn(temporaryFolder(context, "everseed-notify-"));
    const hear = serviceManager(context, path);
    const clock = new HandClock();
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "60000000", WATCHDOG_PID: "7" };
    const supervision = await openSupervision(env, { clock, log: SILENT_LOG, pid: 7 });
    assert.equal(hear(), undefined);
    supervision?.ready("peers on\nport 8421");
    assert.equal(hear(), "READY=1\nSTATUS=peers on port 8421");
    assert.equal(hear(), "WATCHDOG=1");
    assert.deepEqual(
      clock.timers.map(({ delayMs }) => delayMs),
      [30_000],
    );
    clock.timers[0]?.fire();
    assert.equal(hear(), "WATCHDOG=1");
    supervision?.stopping();
    assert.equal(hear(), "STOPPING=1");
    assert.equal(clock.cancelled, 1);
  });
}

test("a watchdog for another process is left to it, and a manager that is gone disturbs nobody", async () => {
  const clock = new HandClock();
  const env = { NOTIFY_SOCKET: "/nowhere/notify", WATCHDOG_USEC: "60000000", WATCHDOG_PID: "8" };
  const supervision = await openSupervision(env, { clock, log: SILENT_LOG, pid: 7 });
  supervision?.ready("ready");
  supervision?.stopping();
  assert.equal(clock.timers.length, 0);
  assert.equal(await openSupervision({}, { clock, log: SILENT_LOG, pid: 7 }), undefined);
});
