import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { openControlServer } from "./control-server.ts";

function placeFor(context: TestContext): string {
  return join(temporaryFolder(context, "everseed-control-"), "run", "control.sock");
}

async function ask(path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, path: "/x" }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asking.once("error", reject);
    asking.end();
  });
}

test("CLI-3 CLI-7 the control socket is 0600 in a 0700 folder from its creation on, whatever the umask", async (context) => {
  const before = process.umask(0);
  context.after(() => void process.umask(before));
  const path = placeFor(context);
  const server = await openControlServer(path);
  context.after(() => server.close());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
  assert.equal(process.umask(0), 0);
});

test("the control socket answers 503 until it is served, and is gone after its end", async (context) => {
  const path = placeFor(context);
  const server = await openControlServer(path);
  assert.equal((await ask(path)).status, 503);
  server.serve(async ({ url }) => new Response(new URL(url).pathname));
  assert.deepEqual(await ask(path), { status: 200, text: "/x" });
  await server.close();
  assert.equal(existsSync(path), false);
});

test("the second server on a control socket learns who has it", async (context) => {
  const path = placeFor(context);
  const server = await openControlServer(path);
  context.after(() => server.close());
  await assert.rejects(openControlServer(path), new RegExp(`process ${process.pid} is at work`));
});

test("the control socket that a killed program left is replaced", async (context) => {
  const path = placeFor(context);
  mkdirSync(join(path, ".."), { mode: 0o700 });
  const code = `require("net").createServer().listen(${JSON.stringify(path)},()=>process.kill(process.pid,"SIGKILL"))`;
  spawnSync(process.execPath, ["-e", code]);
  assert.ok(statSync(path).isSocket());
  const server = await openControlServer(path);
  assert.equal((await ask(path)).status, 503);
  await server.close();
});

test("a foreign program on the control socket's path is named, not replaced", async (context) => {
  const path = placeFor(context);
  mkdirSync(join(path, ".."), { mode: 0o700 });
  const foreign = createServer((socket) => socket.on("error", () => undefined).end("foreign"));
  await new Promise<void>((resolve) => {
    foreign.listen(path, resolve);
  });
  context.after(() => void foreign.close());
  await assert.rejects(openControlServer(path), {
    code: "place-taken",
    message: /another program/,
  });
  assert.ok(existsSync(path));
});

test("a file on the control socket's path is not replaced", async (context) => {
  const path = placeFor(context);
  mkdirSync(join(path, ".."), { mode: 0o700 });
  writeFileSync(path, "precious");
  await assert.rejects(openControlServer(path), { code: "place-taken", message: /no socket/ });
  assert.equal(statSync(path).size, 8);
});

test("a control socket is refused in a folder where others may write", async (context) => {
  const path = placeFor(context);
  const before = process.umask(0);
  mkdirSync(join(path, ".."), { mode: 0o777 });
  process.umask(before);
  await assert.rejects(openControlServer(path), { code: "open-to-others" });
});

test("a path that is too long for a socket is refused with its length", async (context) => {
  const path = join(temporaryFolder(context, "everseed-control-"), "a".repeat(120), "control.sock");
  await assert.rejects(openControlServer(path), { code: "path-too-long", message: /107/ });
  assert.equal(existsSync(join(path, "..")), false);
});
