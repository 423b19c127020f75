import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../base/endpoint.ts";
import { type Counted, PeerQueues } from "./peer-queues.ts";

function connection(port: number): Counted {
  return { remote: { kind: "utp", endpoint: { address: "127.0.0.1", port } }, packetsIn: 0 };
}

function queues() {
  const open: number[] = [];
  const made = new PeerQueues(({ port }: Endpoint) => {
    open.push(port);
    return () => void open.splice(open.indexOf(port), 1);
  });
  const packets = (of: Counted, count: number): void => {
    for (let i = 0; i < count; i += 1) made.countPacket(of);
  };
  return { made, open, packets };
}

test("a peer gets one queue when it has sent more than a handshake, however many connections it has", () => {
  const { open, packets } = queues();
  const [a, b, other] = [connection(1), connection(1), connection(2)];
  packets(a, 7);
  assert.deepEqual(open, []);
  packets(a, 100);
  packets(b, 100);
  packets(other, 7);
  assert.deepEqual(open, [1]);
});

test("the queue is given back with the last connection that counts, and opened again for a new one", () => {
  const { made, open, packets } = queues();
  const [a, b, short] = [connection(1), connection(1), connection(1)];
  packets(a, 8);
  packets(b, 8);
  packets(short, 3);
  made.remove(short);
  made.remove(a);
  made.remove(a);
  assert.deepEqual(open, [1]);
  made.remove(b);
  assert.deepEqual(open, []);
  packets(connection(1), 8);
  assert.deepEqual(open, [1]);
});

test("without queues in the system nothing is kept", () => {
  const made = new PeerQueues(() => undefined);
  const a = connection(1);
  for (let i = 0; i < 20; i += 1) made.countPacket(a);
  made.remove(a);
});
