import assert from "node:assert/strict";
import { test } from "node:test";
import { networkReach, networkTroubles } from "./network-reach.ts";

const NOTHING = { bound: undefined, filters: undefined, behindProxy: undefined };

test("nothing is said of what was not chosen", () => {
  assert.deepEqual(networkReach(NOTHING), {});
  assert.deepEqual([...networkTroubles(NOTHING)], []);
});

/** Filters with so many ranges. */
function filters(ranges: number, trouble?: string, missing: readonly string[] = []) {
  return { ...NOTHING, filters: { status: () => ({ ranges, trouble, missing }) } };
}

test("the page says what filters hold, and when it is not the newest version", () => {
  assert.deepEqual(networkReach(filters(1)).ipFilters, {
    state: "works",
    words:
      "Nothing is exchanged with 1 range of addresses: no peer, node, tracker or server has one.",
    remedy: null,
  });
  const old = filters(12_345, "The IP filter a cannot be used: it is a folder");
  assert.deepEqual(networkReach(old).ipFilters, {
    state: "warns",
    words:
      "Nothing is exchanged with 12,345 ranges of addresses: no peer, node, tracker or server has one. They are those of an earlier version.",
    remedy:
      "The IP filter a cannot be used: it is a folder. Mend the file: it is read again when it changes.",
  });
  assert.deepEqual([...networkTroubles(old)], [], "the choice is carried out");
});

test("a list that is not in use at all is a fault of the setting, and so is an interface that is away", () => {
  const missing = filters(0, undefined, ["The IP filter a cannot be used: there is no such file"]);
  assert.deepEqual(networkReach(missing).ipFilters, {
    state: "fails",
    words: "No address is kept away. The IP filter a cannot be used: there is no such file.",
    remedy: "Mend the file, or take it off the list. It is read as soon as it can be used.",
  });
  const bound = { name: "tun0", addresses: [] };
  assert.equal(networkReach({ ...NOTHING, bound }).interface!.state, "fails");
  assert.deepEqual(
    [...networkTroubles({ ...missing, bound })],
    [
      [
        "engine.interface",
        "The interface tun0 is not there, so nothing is sent to peers and trackers.",
      ],
      ["engine.ipFilters", "The IP filter a cannot be used: there is no such file."],
    ],
  );
  const there = { name: "tun0", addresses: ["10.0.0.2", "fd00::2"] };
  assert.deepEqual(networkReach({ ...NOTHING, bound: there }).interface, {
    state: "works",
    words:
      "Traffic with peers and trackers leaves and comes in by tun0 only (10.0.0.2 and fd00::2).",
    remedy: null,
  });
  assert.deepEqual([...networkTroubles({ ...NOTHING, bound: there })], []);
});

test("a proxy without datagrams is a warning", () => {
  const say = (carriesDatagrams: boolean) =>
    networkReach({
      ...NOTHING,
      behindProxy: { carriesDatagrams, words: "All goes through it." },
    }).proxy!;
  assert.deepEqual([say(true).state, say(true).words], ["works", "All goes through it."]);
  assert.equal(say(false).state, "warns");
});
