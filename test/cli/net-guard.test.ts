import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { encodeCompact } from "../../src/base/endpoint.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const LISTEN = ["--listen", "127.0.0.1:0"];

async function listening(context: TestContext, server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A file and its torrent, with this announce URL. */
async function torrentWith(context: TestContext, tracker: string): Promise<string> {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "content"), "some content");
  const args = ["create", "content", "-o", "t.torrent", "--tracker", tracker];
  assert.equal((await everseed(context, args, { cwd: folder })).exit, 0);
  return folder;
}

test("house rule 8: a link does not lead to services of this machine", async (context) => {
  const callers: net.Socket[] = [];
  const service = net.createServer((socket) => callers.push(socket));
  const port = await listening(context, service);
  // What a peer is told first holds these 20 bytes: a command, to some services.
  const infohash = Buffer.from("\r\nSHUTDOWN NOSAVE\r\n\n").toString("hex");
  const link = `magnet:?xt=urn:btih:${infohash}&x.pe=127.0.0.1:${port}`;
  const folder = temporaryFolder(context);
  const get = new EverseedProcess(context, ["get", link, "-o", folder, ...LISTEN]);
  await get.waitFor(
    /^warning: the link names 127\.0\.0\.1:\d+, in your own network\..*--peer 127/m,
  );
  await get.waitFor(/waiting for peers to come here/);
  get.child.kill("SIGINT");
  assert.equal((await get.finished).exit, 130);
  assert.equal(callers.length, 0);
});

test("house rule 8: a torrent asks a server of this machine for nothing but announces", async (context) => {
  const asked: (string | undefined)[] = [];
  const server = http.createServer((request, reply) => {
    asked.push(request.url);
    reply.end();
  });
  const port = await listening(context, server);
  const folder = await torrentWith(context, `http://127.0.0.1:${port}/admin?reboot=1`);
  const get = new EverseedProcess(context, ["get", "t.torrent", "-o", "copy", ...LISTEN], {
    cwd: folder,
  });
  await get.waitFor(/http:\/\/127\.0\.0\.1:\d+: 127\.0\.0\.1 is in your own network/);
  get.child.kill("SIGINT");
  await get.finished;
  assert.deepEqual(asked, []);
});

test("a tracker on this machine names peers on this machine", async (context) => {
  let seedPort = 0;
  const server = http.createServer((_request, reply) => {
    const peers = encodeCompact({ address: "127.0.0.1", port: seedPort });
    reply.end(encode(dictOf({ interval: 1800, peers: seedPort > 0 ? peers : new Uint8Array() })));
  });
  const port = await listening(context, server);
  const folder = await torrentWith(context, `http://127.0.0.1:${port}/announce`);
  const seedArgs = ["seed", "t.torrent", "--data", ".", "--json", ...LISTEN];
  const seed = new EverseedProcess(context, seedArgs, { cwd: folder });
  seedPort = await seed.port();
  const args = ["get", "t.torrent", "-o", "copy", ...LISTEN];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  assert.equal(await readFile(join(folder, "copy/content"), "utf8"), "some content");
});
