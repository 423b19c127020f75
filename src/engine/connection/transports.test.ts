import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListenOptions, PeerTransport } from "../../ports/net.ts";
import { Simulation } from "../../sim/simulation.ts";
import { Transports } from "./transports.ts";

/** A transport whose system chooses these ports in turn, and where some are taken. */
function transport(kind: "tcp" | "utp", chosen: readonly number[], taken: readonly number[] = []) {
  const asked: number[] = [];
  const closed: number[] = [];
  const left = [...chosen];
  const listening: PeerTransport = {
    kind,
    listen: async ({ port }: ListenOptions) => {
      asked.push(port);
      if (taken.includes(port)) throw Object.assign(new Error(), { code: "EADDRINUSE" });
      const bound = port === 0 ? left.shift()! : port;
      return { local: { address: "::", port: bound }, close: () => void closed.push(bound) };
    },
    dial: () => assert.fail(),
  };
  return { listening, asked, closed };
}

const PLACE = { host: "::", accept: () => undefined };

test("a port that the system chose is chosen again when the second transport finds it taken", async () => {
  const tcp = transport("tcp", [5001, 5002, 5003]);
  const utp = transport("utp", [], [5001, 5002]);
  const transports = new Transports([tcp.listening, utp.listening], new Simulation());
  assert.equal(await transports.listen({ ...PLACE, port: 0 }), 5003);
  assert.deepEqual(tcp.closed, [5001, 5002]);
  assert.equal(transports.port, 5003);
});

test("a port that was asked for is tried once, and so is one that is taken for ever", async () => {
  const tcp = transport(
    "tcp",
    Array.from({ length: 20 }, () => 5001),
  );
  const utp = transport("utp", [], [5001, 6881]);
  const transports = new Transports([tcp.listening, utp.listening], new Simulation());
  await assert.rejects(transports.listen({ ...PLACE, port: 6881 }), { code: "EADDRINUSE" });
  assert.deepEqual(tcp.asked, [6881]);
  await assert.rejects(transports.listen({ ...PLACE, port: 0 }), { code: "EADDRINUSE" });
  assert.equal(tcp.asked.length, 1 + 8);
  assert.equal(tcp.closed.length, 9);
});
