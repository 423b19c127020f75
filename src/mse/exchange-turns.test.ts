import assert from "node:assert/strict";
import { test } from "node:test";
import { Simulation } from "../sim/simulation.ts";
import { type ExchangeTicket, ExchangeTurns } from "./exchange-turns.ts";

function makeTurns() {
  const simulation = new Simulation();
  const turns = new ExchangeTurns(simulation);
  const done: string[] = [];
  const compute = (name: string, network: string, ticket: ExchangeTicket = {}): unknown =>
    turns.compute(() => void done.push(name), { network, computations: 2, ticket });
  return { simulation, turns, done, compute };
}

test("the first are computed at once, the others in turns of eight computations", () => {
  const { simulation, turns, done, compute } = makeTurns();
  for (let number = 0; number < 12; number += 1) void compute(`${number}`, "a");
  assert.equal(done.length, 4);
  assert.equal(turns.waiting, 8);
  simulation.runFor(5);
  assert.equal(done.length, 8);
  simulation.runFor(5);
  assert.equal(turns.waiting, 0);
  simulation.runFor(5);
  void compute("later", "a");
  assert.equal(done.at(-1), "later", "a new turn has begun");
});

test("WIR-19: of 400 handshakes from one network, none keeps a peer of another waiting for more than a turn", () => {
  const { simulation, turns, done, compute } = makeTurns();
  for (let number = 0; number < 400; number += 1) void compute("flood", "a");
  void compute("honest", "b");
  assert.ok(!done.includes("honest"));
  simulation.runFor(5);
  assert.ok(done.includes("honest"));
  simulation.runFor(600);
  assert.equal(turns.waiting, 0);
  assert.equal(done.length, 401);
});

test("a connection that has ended takes no time of a turn", () => {
  const { simulation, done, compute, turns } = makeTurns();
  for (let number = 0; number < 4; number += 1) void compute("first", "a");
  const gone: ExchangeTicket = {};
  for (let number = 0; number < 4; number += 1) void compute("second", number > 1 ? "b" : "a");
  void compute("gone", "c", gone);
  turns.drop(gone);
  void compute("last", "c");
  simulation.runFor(10);
  assert.ok(!done.includes("gone"));
  assert.equal(done.length, 9);
});

test("WIR-19: no more than 8192 connections wait", () => {
  const { turns, compute } = makeTurns();
  for (let number = 0; number < 8_196; number += 1) {
    void compute("flood", "a");
  }
  assert.equal(turns.waiting, 8_192);
  assert.equal(
    turns.compute(() => 1, { network: "b", computations: 1, ticket: {} }),
    undefined,
  );
});
