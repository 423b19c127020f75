import assert from "node:assert/strict";
import { test } from "node:test";
import { EverseedError, invariant, InvariantError } from "./errors.ts";

test("a broken invariant says why it should hold", () => {
  assert.throws(() => invariant(false, "it holds"), {
    name: "InvariantError",
    message: /it holds/,
  });
  assert.throws(() => invariant(0, "it holds"), InvariantError);
  invariant(1, "it holds");
});

test("our errors carry the name of their class", () => {
  class OddError extends EverseedError {
    readonly code = "odd";
  }
  const error = new OddError("why", { cause: 5 });
  assert.deepEqual([error.name, error.message, error.cause], ["OddError", "why", 5]);
});
