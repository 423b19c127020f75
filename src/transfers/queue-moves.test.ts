import assert from "node:assert/strict";
import { test } from "node:test";
import { movedPlaces, type QueueMove } from "./queue-moves.ts";

/** The order of five transfers after a move. */
function orderAfter(ids: string, to: QueueMove, positions = [-3, 0, 1, 7, 9]): string {
  const queue = [..."abcde"].map((id, index) => ({ id, position: positions[index]! }));
  const places = new Map(queue.map(({ id, position }) => [id, position]));
  for (const { id, position } of movedPlaces(queue, [...ids], to)) places.set(id, position);
  assert.equal(new Set(places.values()).size, 5, "no two share a place");
  return [...places]
    .toSorted(([, a], [, b]) => a - b)
    .map(([id]) => id)
    .join("");
}

for (const [ids, to, after] of [
  ["c", "first", "cabde"],
  ["ec", "first", "ceabd"],
  ["b", "last", "acdeb"],
  ["c", "up", "acbde"],
  ["ab", "up", "abcde"],
  ["bd", "up", "badce"],
  ["cd", "down", "abecd"],
  ["e", "down", "abcde"],
  ["e", { before: "b" }, "aebcd"],
  ["ad", { before: "c" }, "badce"],
  ["a", { before: "a" }, "abcde"],
  ["a", { before: "elsewhere" }, "abcde"],
  ["x", "first", "abcde"],
] as const) {
  test(`${ids} ${JSON.stringify(to)} makes ${after}`, () => {
    assert.equal(orderAfter(ids, to), after);
  });
}

test("transfers that share a position get an order", () => {
  assert.equal(orderAfter("c", "first", [2, 2, 2, 2, 3]), "cabde");
});

test("what keeps its place is not written", () => {
  const queue = [..."abcde"].map((id, position) => ({ id, position }));
  assert.deepEqual(
    movedPlaces(queue, ["c"], "up").map(({ id }) => id),
    ["c", "b"],
  );
});
