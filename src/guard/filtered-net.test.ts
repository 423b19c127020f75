import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../base/endpoint.ts";
import type { DatagramNet, HopJudge, HttpFetch, MulticastNet } from "../ports/net.ts";
import type { RangeLine } from "../ports/web-ranges.ts";
import {
  filteredDatagrams,
  filteredFetch,
  filteredMulticast,
  filteredRangeLines,
} from "./filtered-net.ts";

const KEPT: Endpoint = { address: "9.9.9.8", port: 1 };
const OPEN: Endpoint = { address: "9.9.9.9", port: 1 };
const refusalOf = (address: string): string | undefined =>
  address === KEPT.address ? `kept away: ${address}` : undefined;
const PACKET = new Uint8Array([1]);

test("WIR-29: no packet leaves for an address that is kept away, and none from it is read", async () => {
  const sent: string[] = [];
  let arrive: (bytes: Uint8Array, from: Endpoint) => void = () => assert.fail();
  const lower: DatagramNet = {
    resolve: async () => [KEPT.address],
    bind: async ({ receive }) => {
      arrive = receive;
      return {
        local: OPEN,
        send: (_bytes, to) => sent.push(to.address),
        afterBurst: (fire) => fire(),
        close: () => sent.push("closed"),
      };
    },
  };
  const read: string[] = [];
  const net = filteredDatagrams(lower, refusalOf);
  const receive = (_bytes: Uint8Array, from: Endpoint): void => void read.push(from.address);
  const socket = await net.bind({ host: "::", port: 0, receive });
  for (const place of [KEPT, OPEN]) {
    socket.send(PACKET, place);
    arrive(PACKET, place);
  }
  socket.close();
  assert.deepEqual(sent, [OPEN.address, "closed"]);
  assert.deepEqual(read, [OPEN.address]);
  assert.equal(socket.local, OPEN);
});

test("WIR-29: a neighbour that is kept away is not heard", async () => {
  let arrive: (bytes: Uint8Array, from: Endpoint) => void = () => assert.fail();
  const lower: MulticastNet = {
    join: async ({ receive }) => {
      arrive = receive;
      return { send: () => undefined, close: () => undefined };
    },
  };
  const heard: string[] = [];
  await filteredMulticast(lower, refusalOf).join({
    group: OPEN,
    links: "neighbours",
    receive: (_bytes, from) => heard.push(from.address),
  });
  for (const place of [KEPT, OPEN]) arrive(PACKET, place);
  assert.deepEqual(heard, [OPEN.address]);
});

/** Hops of a fetch, by the addresses of their names, and what the connection may go to. */
const HOPS: readonly {
  readonly addresses: readonly string[];
  readonly says: readonly string[] | { readonly refused: string };
}[] = [
  { addresses: ["9.9.9.9"], says: ["9.9.9.9"] },
  { addresses: ["9.9.9.8", "9.9.9.9"], says: ["9.9.9.9"] },
  { addresses: ["9.9.9.8"], says: { refused: "kept away: 9.9.9.8" } },
  { addresses: ["10.0.0.1", "9.9.9.8"], says: { refused: "near" } },
  { addresses: [], says: [] },
];

/** Judges all of `HOPS` in one fetch: those after the first are redirects. */
function judgeAll(judge: HopJudge): unknown[] {
  const url = new URL("http://a.example/");
  return HOPS.map(({ addresses }) => judge({ url, addresses }));
}

const guardBelow: HopJudge = ({ addresses }) =>
  addresses.includes("10.0.0.1") ? { refused: "near" } : addresses;

test("WIR-29: no hop of a fetch leads to an address that is kept away", async () => {
  const judged: unknown[] = [];
  const makeFetch = filteredFetch(({ judge }): HttpFetch => {
    judged.push(...judgeAll(judge));
    return { get: assert.fail };
  }, refusalOf);
  makeFetch({ judge: guardBelow, lenient: true });
  assert.deepEqual(
    judged,
    HOPS.map(({ says }) => says),
  );
});

test("WIR-29: no web seed is at an address that is kept away, behind redirects neither", () => {
  const judged: unknown[] = [];
  const open = filteredRangeLines((judgeHops) => {
    judged.push(...judgeAll(judgeHops()));
    return {} as RangeLine;
  }, refusalOf);
  open(() => guardBelow);
  assert.deepEqual(
    judged,
    HOPS.map(({ says }) => says),
  );
});
