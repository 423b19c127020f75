import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { MediaDoor } from "./media-door.ts";

const LIMIT_MS = 5_000;

/** A node whose control socket answers with the range that was asked for; `/open` stays open, `/slow` has no answer yet. */
async function node(t: TestContext) {
  const socket = join(temporaryFolder(t, "everseed-door-"), "control.sock");
  const held: ServerResponse[] = [];
  const server = createServer((asked, answer) => {
    const { range } = asked.headers;
    if (asked.url === "/slow") {
      held.push(answer);
      server.emit("slow");
      return;
    }
    answer.writeHead(range === undefined ? 200 : 206, { "content-type": "video/webm" });
    if (asked.url === "/open") {
      held.push(answer);
      answer.write("first");
    } else answer.end(`${asked.method} ${asked.url} ${range}`);
  });
  server.listen(socket);
  await once(server, "listening");
  const door = new MediaDoor(socket);
  await door.open();
  t.after(async () => {
    await door.close();
    server.close();
    server.closeAllConnections();
  });
  return { door, server, held };
}

test("a player reads a file of the node by ranges at an address of its own; no other path leads anywhere", async (t) => {
  const { door } = await node(t);
  const url = door.add("/api/v1/x/content", "my film #1.webm");
  assert.match(url, /^http:\/\/127\.0\.0\.1:[0-9]+\/[0-9a-f]{32}\/my%20film%20%231\.webm$/);
  const part = await fetch(url, { headers: { range: "bytes=5-9", authorization: "Basic x" } });
  assert.deepEqual([part.status, part.headers.get("content-type")], [206, "video/webm"]);
  assert.equal(await part.text(), "GET /api/v1/x/content bytes=5-9");
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal((await fetch(url, { method: "POST" })).status, 405);
  for (const other of ["/", "/api/v1/node", `${new URL(url).pathname}x`]) {
    assert.equal((await fetch(new URL(other, url))).status, 404, other);
  }
});

test("a player that hangs up ends the answer of the node; without a node the answer is 502", async (t) => {
  const { door, server, held } = await node(t);
  const hangUp = new AbortController();
  const answer = await fetch(door.add("/open", "a.webm"), { signal: hangUp.signal });
  const reader = answer.body!.getReader();
  await reader.read();
  const ended = once(held[0]!, "close", { signal: AbortSignal.timeout(LIMIT_MS) });
  hangUp.abort();
  await ended;
  await assert.rejects(reader.read());
  const early = new AbortController();
  const asked = once(server, "slow");
  const waiting = fetch(door.add("/slow", "a.webm"), { signal: early.signal });
  await asked;
  const endedToo = once(held[1]!, "close", { signal: AbortSignal.timeout(LIMIT_MS) });
  early.abort();
  await assert.rejects(waiting);
  await endedToo;
  server.close();
  server.closeAllConnections();
  assert.equal((await fetch(door.add("/x", "a.webm"))).status, 502);
});
