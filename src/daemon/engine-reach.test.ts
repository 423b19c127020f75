import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import { OwnNetworks } from "../guard/own-networks.ts";
import { engineReach, OutsideCalls } from "./engine-reach.ts";

const WALL_MS = Date.UTC(2026, 10, 30, 10);
const ADDRESS = { address: "192.168.1.7", cidr: "192.168.1.7/24" };

function outsideCalls(): OutsideCalls {
  const clock = { nowMs: () => 0, wallMs: () => WALL_MS, startTimer: () => ({ cancel() {} }) };
  const networks = new OwnNetworks(
    () => [ADDRESS],
    () => 0,
  );
  return new OutsideCalls(networks, clock);
}

function reach(host: string, calls: OutsideCalls) {
  const torrent = (peers: readonly object[]) => ({ peers: () => peers });
  const session = {
    port: 8421,
    ports: { transports: [{ kind: "tcp" }, { kind: "utp" }] },
    settings: { connectionsMax: 500 },
    torrents: () => [
      torrent([
        { remote: { kind: "tcp" }, incoming: true, encryption: "rc4" },
        { remote: { kind: "utp" }, incoming: true, encryption: undefined },
      ]),
      torrent([{ remote: { kind: "tcp" }, incoming: false, encryption: "header" }]),
    ],
  };
  return engineReach({ session: session as never, host, encryption: () => "prefer", calls });
}

test("connections are counted by transport, side and encryption", () => {
  const { port, transports, encryption } = reach("0.0.0.0", outsideCalls());
  assert.deepEqual([port?.connections, port?.connectionsMax], [3, 500]);
  assert.equal(transports?.words, "Peers connect over TCP and uTP.");
  assert.deepEqual(transports?.tcp, { incoming: 1, outgoing: 1 });
  assert.deepEqual(transports?.utp, { incoming: 1, outgoing: 0 });
  assert.deepEqual([encryption?.plain, encryption?.header, encryption?.rc4], [1, 1, 1]);
});

test("the port is known to be reached only after somebody outside our networks has come", () => {
  const calls = outsideCalls();
  for (const address of ["127.0.0.1", "192.168.1.9", "10.0.0.1", "fe80::1"]) {
    calls.handleCall(tcpAddress({ address, port: 1 }));
    assert.equal(reach("0.0.0.0", calls).port?.state, "waits", address);
  }
  calls.handleCall(tcpAddress({ address: "9.9.9.9", port: 1 }));
  const { port } = reach("0.0.0.0", calls);
  assert.deepEqual([port?.state, port?.reachedAt], ["works", "2026-11-30T10:00:00Z"]);
});

test("a port on loopback is told, with the key that opens it", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const { port } = reach(host, outsideCalls());
    assert.equal(port?.state, "warns", host);
    assert.match(port?.remedy ?? "", /engine\.host/);
  }
});
