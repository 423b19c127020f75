import assert from "node:assert/strict";
import { test } from "node:test";
import { Simulation } from "../sim/simulation.ts";
import { BoundInterface, type NamedInterface } from "./bound-interface.ts";

const LOOK_MS = 2_000;
const MACHINE: readonly NamedInterface[] = [
  { name: "lo", address: "127.0.0.1" },
  { name: "lo", address: "::1" },
  { name: "eth0", address: "192.168.1.7" },
  { name: "eth0", address: "fe80::7%eth0" },
  { name: "tun0", address: "10.8.0.2" },
  { name: "tun0", address: "fe80::8" },
  { name: "tun0", address: "2001:DB8::2" },
];

function bind(wanted: string, interfaces = MACHINE) {
  const clock = new Simulation();
  const words: string[] = [];
  const log = {
    debug: () => undefined,
    info: (text: string) => void words.push(text),
    warn: (text: string) => void words.push(text),
    error: () => assert.fail(),
  };
  const machine = { interfaces };
  const bound = new BoundInterface({
    wanted,
    interfaces: () => machine.interfaces,
    clock,
    log,
  });
  return { bound, clock, machine, words };
}

const CHOICES: readonly (readonly [wanted: string, addresses: readonly string[]])[] = [
  ["tun0", ["10.8.0.2", "2001:db8::2"]],
  ["eth0", ["192.168.1.7"]],
  ["lo", ["127.0.0.1", "::1"]],
  ["10.8.0.2", ["10.8.0.2"]],
  ["2001:db8:0:0:0:0:0:2", ["2001:db8::2"]],
  ["127.0.0.3", ["127.0.0.3"]],
  ["10.8.0.3", []],
  ["tun", []],
];
for (const [wanted, addresses] of CHOICES) {
  test(`traffic bound to ${wanted} leaves from ${addresses.join(" and ") || "nowhere"}`, () => {
    const { bound } = bind(wanted);
    assert.deepEqual(bound.addresses, addresses);
    assert.equal(
      bound.addressOf(4),
      addresses.find((each) => !each.includes(":")),
    );
    assert.equal(
      bound.addressOf(6),
      addresses.find((each) => each.includes(":")),
    );
    for (const each of addresses) assert.ok(bound.has(each));
    assert.equal(bound.has("9.9.9.9"), false);
  });
}

test("an interface that goes and comes back is noticed, told once, and watched no longer than wanted", () => {
  const { bound, clock, machine, words } = bind("tun0");
  const seen: string[] = [];
  const unwatch = bound.watch(() => seen.push(bound.addresses.join(" ")));
  clock.runFor(3 * LOOK_MS);
  machine.interfaces = MACHINE.filter(({ name }) => name !== "tun0");
  clock.runFor(3 * LOOK_MS);
  machine.interfaces = [...machine.interfaces, { name: "tun0", address: "10.8.0.9" }];
  clock.runFor(3 * LOOK_MS);
  assert.deepEqual(seen, ["", "10.8.0.9"]);
  assert.deepEqual(words, [
    "the interface tun0 is gone: nothing is sent or received until it is back",
    "the interface tun0 has the address 10.8.0.9",
  ]);
  unwatch();
  bound.close();
  machine.interfaces = MACHINE;
  clock.runFor(3 * LOOK_MS);
  assert.equal(seen.length, 2);
});
