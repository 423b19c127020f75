import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import { seededRandom } from "./seeded-random.ts";
import { SimDatagrams } from "./sim-datagrams.ts";
import { SimRouter, type SimRouterOptions } from "./sim-router.ts";
import { Simulation } from "./simulation.ts";

const PACKET = Uint8Array.of(1);

/** A machine behind a router, two servers outside, and who heard from whom. */
function world(options: Pick<SimRouterOptions, "kind" | "keepsPorts">) {
  const simulation = new Simulation();
  const random = seededRandom(1);
  const datagrams = new SimDatagrams({ simulation, random, latencyMs: 10, lossPerMille: 0 });
  const router = new SimRouter({ ...options, simulation, datagrams, address: "9.9.9.9" });
  const heard: string[] = [];
  const open = (ways: Pick<SimDatagrams, "open">, place: string) => {
    const socket = ways.open(parseEndpoint(place)!, (_packet, from) =>
      heard.push(`${place} from ${formatEndpoint(from)}`),
    );
    return (to: string): string[] => {
      heard.length = 0;
      socket.send(PACKET, parseEndpoint(to)!);
      simulation.runFor(100);
      return [...heard];
    };
  };
  return {
    simulation,
    router,
    inside: open(router, "192.168.1.2:6881"),
    other: open(router, "192.168.1.3:6881"),
    one: open(datagrams, "9.1.1.1:1000"),
    two: open(datagrams, "9.1.1.1:2000"),
  };
}

test("a cone router shows one port to all, and lets in only whom the machine has called, for five minutes", () => {
  const { simulation, router, inside, one, two } = world({ kind: "cone", keepsPorts: false });
  assert.deepEqual(one("9.9.9.9:40000"), []);
  assert.deepEqual(inside("9.1.1.1:1000"), ["9.1.1.1:1000 from 9.9.9.9:40000"]);
  assert.deepEqual(one("9.9.9.9:40000"), ["192.168.1.2:6881 from 9.1.1.1:1000"]);
  assert.deepEqual(two("9.9.9.9:40000"), [], "another port of the same machine");
  assert.equal(router.refused, 1);
  assert.deepEqual(inside("9.1.1.1:2000"), ["9.1.1.1:2000 from 9.9.9.9:40000"]);
  assert.deepEqual(two("9.9.9.9:40000"), ["192.168.1.2:6881 from 9.1.1.1:2000"]);
  simulation.runFor(300_001);
  assert.deepEqual(two("9.9.9.9:40000"), []);
});

test("a symmetric router shows another port to each, and a port inside keeps its number while that is free", () => {
  const symmetric = world({ kind: "symmetric", keepsPorts: false });
  symmetric.inside("9.1.1.1:1000");
  assert.deepEqual(symmetric.inside("9.1.1.1:2000"), ["9.1.1.1:2000 from 9.9.9.9:40001"]);
  assert.deepEqual(symmetric.two("9.9.9.9:40000"), [], "the port for somebody else");
  const cone = world({ kind: "cone", keepsPorts: true });
  assert.deepEqual(cone.inside("9.1.1.1:1000"), ["9.1.1.1:1000 from 9.9.9.9:6881"]);
  assert.deepEqual(cone.other("9.1.1.1:1000"), ["9.1.1.1:1000 from 9.9.9.9:40000"]);
});
