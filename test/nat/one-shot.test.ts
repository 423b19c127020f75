import assert from "node:assert/strict";
import { test } from "node:test";
import { openRouter } from "../../src/commands/one-shot-router.ts";
import type { SessionPorts } from "../../src/commands/command-ports.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { until } from "../fixtures/until.ts";
import { networkOf, openGateway, US } from "./loopback-gateway.ts";

test("a command on every address has its port passed on, and says so; one on loopback asks nobody", async (t) => {
  const router = await openGateway(t, { speaks: ["natpmp"] });
  const network = networkOf(router);
  const world = { clock: new NodeClock(), random: new NodeRandom(), log: SILENT_LOG };
  const ports = { ...world, ...network, routerPorts: () => network } as unknown as SessionPorts;
  const told: string[] = [];
  const outer: (number | undefined)[] = [];
  const on = (host: string) => ({
    place: { host, port: 16_881 },
    session: { setOuterPort: (port: number | undefined) => outer.push(port) },
    udp: { local: undefined },
  });
  const choice = { onChanged: ({ case: what }: { readonly case: string }) => told.push(what) };
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    assert.equal(openRouter(ports, choice, on(host)), undefined, host);
  }
  assert.equal(openRouter(ports, undefined, on("::")), undefined);
  const behindProxy = { carriesDatagrams: true };
  assert.equal(openRouter({ ...ports, behindProxy }, choice, on("::")), undefined, "WIR-27");
  const service = openRouter(ports, choice, on("::"));
  await until("the port is mapped", () => told.at(-1) === "mapped");
  assert.equal(outer.at(-1), 16_881);
  assert.equal(router.gateway.mappingsOf(US).length, 2);
  await service?.close();
  assert.equal(router.gateway.mappingsOf(US).length, 0);
});
