import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../fixtures/until.ts";
import { everseed, EverseedProcess } from "./everseed-process.ts";
import { talks } from "./talks.ts";

test("get does not dial a peer that an IP filter keeps away, and says which lines it cannot read", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "list.p2p"), "bad:127.0.0.1-127.0.0.1\nnonsense\n");
  const seedOn = (host: string): EverseedProcess => {
    const args = ["seed", "talks.torrent", "--data", ".", "--listen", `${host}:0`, "--json"];
    return new EverseedProcess(context, args, { cwd: folder });
  };
  const [filtered, open] = [seedOn("127.0.0.1"), seedOn("127.0.0.2")];
  const peers = [`127.0.0.1:${await filtered.port()}`, `127.0.0.2:${await open.port()}`];
  const args = ["get", "talks.torrent", "-o", "copy", "--listen", "127.0.0.2:0"];
  const named = peers.flatMap((peer) => ["--peer", peer]);
  const got = await everseed(context, [...args, "--ip-filter", "list.p2p", ...named], {
    cwd: folder,
  });
  assert.equal(got.exit, 0, got.stderr);
  assert.match(
    got.stderr,
    /warning: 1 line of the IP filter list\.p2p cannot be read, the first is line 2/,
  );
  filtered.child.kill("SIGINT");
  const { stdout } = await filtered.finished;
  assert.ok(!/"uploaded":[1-9]/.test(stdout), stdout);
});

test("an IP filter that cannot be used ends the command before it begins", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "page"), "<html>");
  const seed = (list: string) =>
    everseed(context, ["seed", "talks.torrent", "--data", ".", "--ip-filter", list], {
      cwd: folder,
    });
  const absent = await seed("gone.p2p");
  assert.equal(absent.exit, 3);
  assert.match(absent.stderr, /The IP filter gone\.p2p cannot be used: there is no such file\./);
  const page = await seed("page");
  assert.equal(page.exit, 2);
  assert.match(
    page.stderr,
    /no line of it is an address.*\n {2}Try: a list in p2p, dat or CIDR form/,
  );
});

test("WIR-27: bound to an interface, peers, HTTP and UDP trackers see its address, and peers reach only that", async (context) => {
  const { folder } = await talks(context);
  const INTERFACE = "127.0.0.3";
  const seen = { peer: "", http: "", udp: "" };
  const peer = net.createServer((socket) => {
    seen.peer = socket.remoteAddress!;
    socket.destroy();
  });
  const tracker = http.createServer((request, response) => {
    seen.http = request.socket.remoteAddress!;
    response.end("d8:intervali1800e5:peers0:e");
  });
  const udp = dgram.createSocket("udp4", (_packet, from) => {
    seen.udp = from.address;
  });
  for (const server of [peer, tracker]) server.listen(0, "127.0.0.1");
  udp.bind(0, "127.0.0.1");
  context.after(() => {
    peer.close();
    tracker.close();
    udp.close();
  });
  await Promise.all([peer, tracker, udp].map((each) => once(each, "listening")));
  const at = (server: net.Server): string =>
    `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const get = new EverseedProcess(
    context,
    [
      "get",
      "talks.torrent",
      "-o",
      "copy",
      "--interface",
      INTERFACE,
      "--peer",
      at(peer),
      "--json",
    ].concat([
      "--tracker",
      `http://${at(tracker)}/announce`,
      "--tracker",
      `udp://127.0.0.1:${udp.address().port}`,
    ]),
    { cwd: folder },
  );
  const port = await get.port();
  const called = async (host: string): Promise<string> => {
    const socket = net.connect({ host, port });
    const end = await once(socket, "connect").then(
      () => "connected",
      () => "refused",
    );
    socket.destroy();
    return end;
  };
  assert.deepEqual([await called(INTERFACE), await called("127.0.0.1")], ["connected", "refused"]);
  await until("all were asked", () => Object.values(seen).every((address) => address !== ""));
  assert.deepEqual(seen, { peer: INTERFACE, http: INTERFACE, udp: INTERFACE });
});

test("an interface that is not there ends the command, and the words name those that are", async (context) => {
  const { folder } = await talks(context);
  const args = ["seed", "talks.torrent", "--data", ".", "--interface", "tun99"];
  const { exit, stderr } = await everseed(context, args, { cwd: folder });
  assert.equal(exit, 3);
  assert.match(
    stderr,
    /There is no interface tun99, or it has no address\.\n {2}Try: one of (\w+, )*lo\b/,
  );
});
