import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../base/peer-address.ts";
import { DialHistory } from "./dial-history.ts";

const victim = (port = 6881) => tcpAddress({ address: "203.0.113.9", port });

/** Dials whenever that is allowed, every half second, and each dial fails at once. @returns When it dialled. */
function hammer(history: DialHistory, untilMs: number): number[] {
  const times: number[] = [];
  for (let now = 0; now < untilMs; now += 500) {
    const address = victim(1024 + times.length);
    if (history.readyAtMs(address, now) > now) continue;
    times.push(now);
    history.handleDialled(address);
    history.handleOutcome(address, false, now);
  }
  return times;
}

test("DHT-8: a machine that never answers is dialled less and less, whatever the port", () => {
  const times = hammer(new DialHistory(), 8 * 3_600_000);
  assert.deepEqual(times.slice(0, 8), [0, 500, 1_000, 1_500, 16_500, 46_500, 106_500, 226_500]);
  assert.equal(times.at(-1)! - times.at(-2)!, 10 * 60_000);
});

test("DHT-8: dials to an unknown machine are few at a time, to one that answers many", () => {
  const history = new DialHistory();
  let dials = 0;
  const fill = (): number => {
    for (; history.readyAtMs(victim(), 0) === 0; dials += 1) history.handleDialled(victim());
    return dials;
  };
  assert.equal(history.hasDialled(victim(7)), false);
  assert.equal(fill(), 4);
  assert.equal(history.hasDialled(victim(7)), true);
  assert.equal(history.readyAtMs(victim(), 0), 500, "it is looked at again soon");
  history.handleOutcome(victim(), true, 0);
  assert.equal(fill(), 33);
});

test("a machine that answers starts over, and others do not wait for it", () => {
  const history = new DialHistory();
  for (let times = 0; times < 6; times += 1) {
    history.handleDialled(victim());
    history.handleOutcome(victim(), false, 0);
  }
  assert.equal(history.readyAtMs(victim(1), 0), 60_000);
  const other = tcpAddress({ address: "203.0.113.10", port: 6881 });
  assert.equal(history.readyAtMs(other, 0), 0);
  history.handleDialled(victim());
  history.handleOutcome(victim(), true, 0);
  assert.equal(history.readyAtMs(victim(1), 0), 0);
});

test("machines of one IPv6 network are one; this machine is exempt", () => {
  const history = new DialHistory();
  for (let times = 0; times < 9; times += 1) {
    for (const address of [`2001:db8:1:2::${times}`, "127.0.0.1"]) {
      history.handleDialled(tcpAddress({ address, port: 6881 }));
      history.handleOutcome(tcpAddress({ address, port: 6881 }), false, 0);
    }
  }
  const readyAtMs = (address: string) => history.readyAtMs(tcpAddress({ address, port: 6881 }), 0);
  assert.ok(readyAtMs("2001:db8:1:2::ffff") > 0);
  assert.equal(readyAtMs("2001:db8:1:3::1"), 0);
  assert.equal(readyAtMs("127.0.0.1"), 0);
});

test("what is remembered is bounded, and a machine with a dial under way is kept", () => {
  const history = new DialHistory();
  for (let times = 0; times < 4; times += 1) history.handleDialled(victim());
  for (let index = 0; index < 20_000; index += 1) {
    const address = tcpAddress({ address: `11.0.${index >>> 8}.${index & 255}`, port: 6881 });
    history.handleDialled(address);
    history.handleOutcome(address, false, 0);
  }
  assert.ok(history.size <= 10_000, `${history.size}`);
  assert.equal(history.readyAtMs(victim(), 0), 500);
});
