import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../sim/seeded-random.ts";
import { parseJsonInSteps, stringifyJsonInSteps } from "./json-in-steps.ts";
import { finish, type Work } from "./work.ts";

const FILES = Array.from({ length: 20_000 }, (_, index) => ({
  path: `folder ${index % 7}/a "name" with \\ and [brackets], {braces} ${index}`,
  size: index,
  tags: ["a", ["b", {}], null],
}));
const DECLARATION = { name: "x\\", none: [], files: FILES, tail: { list: [1, [2]] }, more: [1, 2] };

function stepsOf<Result>(work: Work<Result>): { steps: number; result: Result } {
  for (let steps = 1; ; steps += 1) {
    const step = work.next();
    if (step.done) return { steps, result: step.value };
  }
}

test("HUB-27: a long list is parsed in steps, and the value is that of JSON.parse", () => {
  for (const text of [JSON.stringify(DECLARATION), JSON.stringify(DECLARATION, null, 3)]) {
    const { steps, result } = stepsOf(parseJsonInSteps(text));
    assert.deepEqual(result, JSON.parse(text));
    assert.ok(steps >= Math.floor(text.length / 70_000), `${steps} steps`);
  }
});

test("HUB-27: no step parses much more than 65,536 characters of a list", (t) => {
  const text = JSON.stringify(DECLARATION);
  const parse = t.mock.method(JSON, "parse");
  finish(parseJsonInSteps(text));
  const lengths = parse.mock.calls.map(({ arguments: [piece] }) => String(piece).length);
  assert.ok(Math.max(...lengths) < 66_000, `${Math.max(...lengths)}`);
});

test("HUB-27: a long list is written in steps, and the text is that of JSON.stringify", () => {
  const { steps, result } = stepsOf(stringifyJsonInSteps(DECLARATION));
  assert.equal(result, JSON.stringify(DECLARATION));
  assert.ok(steps >= FILES.length / 256, `${steps} steps`);
  for (const value of [{}, { a: undefined }, { a: undefined, b: [undefined, 1] }, { "\n": [] }]) {
    assert.equal(finish(stringifyJsonInSteps(value)), JSON.stringify(value));
  }
});

/** `undefined` when the text is refused. */
function outcome(parse: () => unknown): { value: unknown } | undefined {
  try {
    return { value: parse() };
  } catch (error) {
    assert.ok(error instanceof SyntaxError, String(error));
    return undefined;
  }
}

const LONG = " ".repeat(70_000);
for (const text of [
  `{"a":[1,${LONG}]}`,
  `{"a":[${LONG},1]}`,
  `{"a":[${LONG}]}`,
  `{"a":[1${LONG},,2]}`,
  `{"a":[1${LONG}}`,
  `{"a":[1${LONG},2`,
  `{"a":[1,{"b":[2]${LONG}}],"a":[${LONG}3]}`,
  `{"__proto__":[1${LONG},2],"\\u0061":[5]}`,
  `{"a":"[1,${LONG}2]","b":[[1,2]${LONG},[3]]}`,
  `{"a":["\\\\"${LONG},"\\"]"]}`,
  `{"a":["never ends${LONG}]}`,
  `[1,2${LONG}]`,
  `{[1]${LONG}}`,
  `{"a":[1]${LONG}[2]}`,
  `{"a":[1]}${LONG}{"b":[2]}`,
  `${LONG}7`,
]) {
  test(`JSON is taken or refused as JSON.parse does: ${text.replaceAll(LONG, "~")}`, () => {
    const expected = outcome(() => JSON.parse(text));
    assert.deepEqual(
      outcome(() => finish(parseJsonInSteps(text))),
      expected,
    );
  });
}

test("JSON with a damaged character is taken or refused as JSON.parse does", () => {
  const random = seededRandom(27);
  const short = FILES.slice(0, 1_200);
  const text = JSON.stringify({ ...DECLARATION, files: short });
  assert.ok(text.length > 70_000);
  let refused = 0;
  for (let round = 0; round < 200; round += 1) {
    const at = round % 4 === 0 ? random.below(60) : random.below(text.length);
    const damaged = text.slice(0, at) + `[]{},:"\\ 1`[random.below(10)] + text.slice(at + 1);
    const expected = outcome(() => JSON.parse(damaged));
    if (!expected) refused += 1;
    assert.deepEqual(
      outcome(() => finish(parseJsonInSteps(damaged))),
      expected,
      `round ${round}`,
    );
  }
  assert.ok(refused > 50 && refused < 200, `${refused}`);
});
