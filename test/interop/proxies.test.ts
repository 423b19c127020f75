import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import { assertSameTree, LIBTORRENT, libtorrent, program, skipUnless } from "./foreign-peers.ts";
import { freePort } from "../fixtures/free-port.ts";
import { EVERSEED, Running, until } from "./process.ts";
import { startSmallTracker } from "./small-tracker.ts";

const TIMEOUT = { timeout: 120_000 };

interface RealProxy {
  readonly name: string;
  readonly binary: string;
  readonly scheme: "socks5" | "http";
  /** The program and its arguments. @param folder - For its files. */
  readonly command: (folder: string, port: number) => readonly string[];
}

const DANTE: RealProxy = {
  name: "Dante 1.4.2",
  binary: "danted",
  scheme: "socks5",
  command: (folder, port) => {
    const lines = [
      "logoutput: stderr",
      `internal: 127.0.0.1 port = ${port}`,
      "external: 127.0.0.1",
      "clientmethod: none",
      "socksmethod: none",
      "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }",
      "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }",
    ];
    const file = path.join(folder, "danted.conf");
    fs.writeFileSync(file, `${lines.join("\n")}\n`);
    return ["danted", "-f", file, "-p", path.join(folder, "danted.pid")];
  },
};

const TINYPROXY: RealProxy = {
  name: "Tinyproxy 1.11",
  binary: "tinyproxy",
  scheme: "http",
  command: (folder, port) => {
    const lines = [`Port ${port}`, "Listen 127.0.0.1", "Allow 127.0.0.1", "BasicAuth me secret"];
    const file = path.join(folder, "tinyproxy.conf");
    fs.writeFileSync(file, `${lines.join("\n")}\nTimeout 60\nMaxClients 50\n`);
    return ["tinyproxy", "-d", "-c", file];
  },
};

async function startProxy(t: TestContext, proxy: RealProxy, folder: string): Promise<number> {
  const port = await freePort();
  new Running(t, proxy.command(folder, port));
  await until(`${proxy.name} listens`, () => answers(port));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    const settle = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => settle(true)).once("error", () => setTimeout(settle, 50, false));
  });
}

async function getThrough(
  t: TestContext,
  proxy: RealProxy,
  transport: "tcp" | "utp",
): Promise<void> {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(2_000_000));
  const tracker = await startSmallTracker(t);
  const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), [
    "--tracker",
    tracker.url,
  ]);
  // It announces itself to the tracker, from which alone we learn of it.
  const env = { EVERSEED_TEST_TRANSPORT: transport };
  await new Running(t, [...LIBTORRENT, "seed", torrent, folder], env).event("ready");
  const port = await startProxy(t, proxy, folder);
  const out = path.join(folder, "fetched");
  fs.mkdirSync(out);
  const login = proxy.scheme === "http" ? "me:secret@" : "";
  const args = ["get", torrent, "-o", out, "--json", "--transport", transport];
  const get = new Running(t, [EVERSEED, ...args], {
    EVERSEED_PROXY: `${proxy.scheme}://${login}127.0.0.1:${port}`,
  });
  await get.event("done");
  await get.succeed();
  assertSameTree(source, path.join(out, "data.bin"));
}

suite("proxies that we did not write", TIMEOUT, () => {
  for (const [proxy, transport] of [
    [DANTE, "tcp"],
    [DANTE, "utp"],
    [TINYPROXY, "tcp"],
  ] as const) {
    const skip = skipUnless(libtorrent) || skipUnless(program(proxy.binary));
    test(`get fetches from libtorrent over ${transport} through ${proxy.name}`, { skip }, (t) =>
      getThrough(t, proxy, transport),
    );
  }
});
