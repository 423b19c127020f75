import assert from "node:assert/strict";
import { test } from "node:test";
import { NODE_PATH } from "../../src/api/paths.ts";
import { ControlApi } from "../../src/hub/control-api.ts";
import { hubWorld } from "./hub-world.ts";

const CONTEXT = { remoteAddress: "", localAddress: undefined };

test("on the socket the caller is the owner, without a password; on the web port the accounts decide", async (t) => {
  const { parts, call } = await hubWorld(t);
  const api = new ControlApi({ ...parts, ...parts.control });
  const answer = await api.handle(new Request(`http://localhost${NODE_PATH}`), CONTEXT);
  assert.equal(answer.status, 200);
  assert.equal(((await answer.json()) as { pid: number }).pid, 7);
  assert.equal((await call(NODE_PATH)).status, 401);
});

test("the socket has the control API alone, and refuses in its words", async (t) => {
  const { parts } = await hubWorld(t);
  const api = new ControlApi({ ...parts, ...parts.control });
  for (const [path, headers, status] of [
    ["/", {}, 404],
    ["/login", {}, 404],
    ["/api/v1/tokens", {}, 404],
    [NODE_PATH, { "content-encoding": "gzip" }, 415],
  ] as const) {
    const answer = await api.handle(new Request(`http://localhost${path}`, { headers }), CONTEXT);
    assert.equal(answer.status, status, path);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    assert.notEqual(error.message, "");
  }
});

test("a fault of ours behind the socket gets a number, and a line in the log", async (t) => {
  const { parts, logged } = await hubWorld(t);
  const node = (): never => {
    throw new Error("a bug");
  };
  const api = new ControlApi({ ...parts, ...parts.control, node });
  const answer = await api.handle(new Request(`http://localhost${NODE_PATH}`), CONTEXT);
  assert.equal(answer.status, 500);
  const { error } = (await answer.json()) as { error: { id: string } };
  assert.match(logged.join("\n"), new RegExp(error.id));
});
