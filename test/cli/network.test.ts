import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
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

/** An HTTP server and a UDP socket at one address, and what came there. */
async function place(context: TestContext, host: string, redirectTo?: string) {
  const seen = new Set<string>();
  const server = http.createServer((request, response) => {
    seen.add(request.url!.startsWith("/announce") ? "tracker" : "web seed");
    if (redirectTo === undefined) response.writeHead(404).end();
    else response.writeHead(302, { location: redirectTo }).end();
  });
  server.listen(0, host);
  const udp = dgram.createSocket("udp4", (packet) => {
    seen.add(packet[0] === 0x64 ? "node" : "UDP tracker");
  });
  udp.bind(0, host);
  context.after(() => {
    server.close();
    server.closeAllConnections();
    udp.close();
  });
  await Promise.all([once(server, "listening"), once(udp, "listening")]);
  const { port } = server.address() as net.AddressInfo;
  return { seen, udp, web: `http://${host}:${port}`, datagrams: `${host}:${udp.address().port}` };
}

test("WIR-29: trackers, DHT nodes, web seeds and redirects that a filter keeps away hear nothing of us", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "list"), "127.0.0.4/32\n");
  const kept = await place(context, "127.0.0.4");
  const open = await place(context, "127.0.0.5", `${kept.web}/elsewhere`);
  const args = ["get", "talks.torrent", "-o", "copy", "--listen", "127.0.0.1:0", "--json"];
  const named = [kept, open].flatMap(({ web, datagrams }) => [
    "--tracker",
    `${web}/announce`,
    "--tracker",
    `udp://${datagrams}`,
    "--dht-bootstrap",
    datagrams,
    "--web-seed",
    web,
  ]);
  const get = new EverseedProcess(
    context,
    [...args, "--ip-filter", "list", "--dht", "on", ...named],
    { cwd: folder },
  );
  const port = await get.port();
  await until("what is not kept away is asked", () => open.seen.size === 4);
  for (const cause of [kept.web, `udp://${kept.datagrams}`, "web-seed"]) {
    const name = cause.replace(/^.*\/\//, "").replaceAll(".", "\\.");
    const why = new RegExp(`${name}[^\\n]*an IP filter keeps 127\\.0\\.0\\.4 away`);
    await until(`${cause} is off, and it is told why`, () => {
      assert.deepEqual([...kept.seen], []);
      return why.test(get.said);
    });
  }
  // Our own node answers one, and does not hear the other.
  const answered: string[] = [];
  for (const { udp } of [kept, open]) {
    udp.on("message", (packet) => {
      if (packet.toString("latin1").includes("1:y1:r")) answered.push(udp.address().address);
    });
    udp.send("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", port, "127.0.0.1");
  }
  await until("one is answered", () => answered.length > 0);
  assert.deepEqual(answered, ["127.0.0.5"]);
  assert.deepEqual([...kept.seen], []);
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
