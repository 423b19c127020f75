import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fromLatin1 } from "../../src/base/bytes.ts";
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
  // The first bytes that a peer receives contain these 20 bytes, which some services would take as a command.
  const infohash = Buffer.from("\r\nSHUTDOWN NOSAVE\r\n\n").toString("hex");
  const link = `magnet:?xt=urn:btih:${infohash}&x.pe=127.0.0.1:${port}`;
  const folder = temporaryFolder(context);
  const get = new EverseedProcess(context, ["get", link, "-o", folder, ...LISTEN]);
  await get.waitFor(
    /^warning: the link names 127\.0\.0\.1:\d+, in your own network\..*--peer 127/m,
  );
  await get.waitFor(/waiting for peers to connect to port/);
  get.child.kill("SIGINT");
  assert.equal((await get.finished).exit, 130);
  assert.equal(callers.length, 0);
});

test("house rule 8: a torrent sends a server of this machine nothing but announces", async (context) => {
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

test("a tracker on this machine may name peers on this machine", async (context) => {
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

test("a tracker with pre-standard HTTP is understood, and its warning is shown (rule 13)", async (context) => {
  let seedPort = 0;
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      const peers = encodeCompact({ address: "127.0.0.1", port: seedPort });
      const body = encode(
        dictOf({
          interval: 1800,
          peers: seedPort > 0 ? peers : new Uint8Array(),
          "warning message": fromLatin1("please use https\x1b[2J"),
        }),
      );
      socket.write(
        "HTTP/1.0 200 OK\nPHP Notice\nContent-Length: 9000\nContent Type: text/plain\n\n",
      );
      socket.end(body);
    });
  });
  const port = await listening(context, server);
  const folder = await torrentWith(context, `http://127.0.0.1:${port}/announce`);
  const seedArgs = ["seed", "t.torrent", "--data", ".", "--json", ...LISTEN];
  const seed = new EverseedProcess(context, seedArgs, { cwd: folder });
  seedPort = await seed.port();
  const quiet = await everseed(context, ["get", "t.torrent", "-o", "a", ...LISTEN], {
    cwd: folder,
  });
  assert.equal(quiet.exit, 0, quiet.stderr);
  assert.doesNotMatch(quiet.stderr, /please/);
  const talking = await everseed(context, ["get", "t.torrent", "-v", "-o", "b", ...LISTEN], {
    cwd: folder,
  });
  assert.match(talking.stderr, /http:\/\/127\.0\.0\.1:\d+ says: please use https/);
  assert.ok(!talking.stderr.includes("\x1b[2J"), "no escape reaches the terminal (CLI-1)");
  const machine = await everseed(context, ["get", "t.torrent", "--json", "-o", "c", ...LISTEN], {
    cwd: folder,
  });
  const events = machine.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  assert.ok(
    events.some((event) => "event" in event && event.event === "tracker-warning"),
    machine.stdout,
  );
  await seed.waitFor(/"event":"tracker-warning"/);
});

test("get follows the redirect of a site to a magnet link, and to no other kind of link", async (context) => {
  const link = `magnet:?xt=urn:btih:${"a".repeat(40)}`;
  const server = http.createServer((request, reply) => {
    const location = request.url === "/magnet" ? link : "ftp://127.0.0.1/x.torrent";
    reply.writeHead(302, { location }).end();
  });
  const port = await listening(context, server);
  const folder = temporaryFolder(context);
  const show = await everseed(context, ["show", `http://127.0.0.1:${port}/magnet`, "--json"], {});
  assert.equal(show.exit, 0, show.stderr);
  assert.match(show.stdout, /a{40}/);
  const other = await everseed(context, ["get", `http://127.0.0.1:${port}/x`, "-o", folder], {});
  assert.equal(other.exit, 6);
  assert.match(other.stderr, /redirects to an address of the kind ftp/);
});
