import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryGate } from "./query-gate.ts";

const from = (address: string, port = 1) => ({ address, port });

test("DHT-1: an address has a share of answers; one that goes on asking is not heard for minutes", () => {
  const gate = new QueryGate(1e9, 0);
  let admitted = 0;
  for (let i = 0; i < 99; i += 1) if (gate.admit(from("11.1.1.1", i), 0)) admitted += 1;
  assert.equal(admitted, 50);
  assert.ok(gate.admit(from("11.1.1.2"), 0), "others are heard");
  assert.ok(gate.admit(from("11.1.1.1"), 1000), "it comes again after a while");
  for (let i = 0; i < 60; i += 1) gate.admit(from("11.1.1.1"), 1000);
  assert.ok(!gate.admit(from("11.1.1.1"), 100_000));
  assert.ok(gate.admit(from("11.1.1.1"), 302_000));
});

test("DHT-1: all answers together have a rate", () => {
  const gate = new QueryGate(1000, 0);
  assert.ok(gate.admitReply(2000, 0));
  assert.ok(!gate.admitReply(1, 0));
  assert.ok(gate.admitReply(500, 500));
  assert.equal(gate.refused, 1);
});

test("DHT-1: no more queries are read than a node can answer, whoever asks", () => {
  const gate = new QueryGate(1e9, 0);
  let read = 0;
  for (let ms = 0; ms < 10_000; ms += 1) {
    for (let i = 0; i < 20; i += 1) if (gate.admitRead(ms)) read += 1;
  }
  assert.ok(read <= 2000 + 10_000, `${read}`);
  assert.ok(read >= 11_000, `${read}`);
});

test("DHT-1: a flood from made-up addresses is remembered in bounded memory", () => {
  const gate = new QueryGate(1e9, 0);
  for (let i = 0; i < 30_000; i += 1) {
    gate.admit(from(`11.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`), 0);
  }
  assert.ok(gate.askers <= 8192, `${gate.askers}`);
});
