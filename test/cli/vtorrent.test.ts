import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { VERSION } from "../../src/base/version.ts";
import { EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PROGRAM = resolve(import.meta.dirname, "../../bin/vtorrent");

async function vtorrent(folder: string, ...args: readonly string[]) {
  const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [exit] = (await once(child, "close")) as [number | null];
  return { exit, stdout, stderr };
}

/** A folder with something to share. */
function open(context: TestContext): string {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "lecture.bin"), Buffer.alloc(200_000, "wave"));
  return folder;
}

/** A tracker that knows one peer of whatever it is asked for. @returns Its announce URL. */
async function trackerThatNames(context: TestContext, port: number): Promise<string> {
  const peers = Buffer.from([127, 0, 0, 1, port >> 8, port & 0xff]);
  const reply = [Buffer.from("d8:intervali1800e5:peers6:"), peers, Buffer.from("e")];
  const server = createServer((_request, response) => response.end(Buffer.concat(reply)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
}

test("VT-13 -h shows the flags of vTorrent, after its version line", async (context) => {
  const folder = open(context);
  // Started by another name, as the link in a PATH is.
  mkdirSync(join(folder, "bin"));
  symlinkSync(PROGRAM, join(folder, "bin/vtorrent"));
  const { exit, stdout } = await vtorrent(folder, "-h");
  assert.equal(exit, 0);
  assert.equal(
    stdout,
    `vtorrent v${VERSION}

Examples:
  vtorrent talks.torrent --path ~/Downloads
  vtorrent -cname talks.torrent --tracker http://192.168.1.4:8080/announce talks.mp4

Usage: vtorrent [-h] [--path PATH] [-cname CNAME] [--tracker TRACKER] torrent

Download a torrent, or make one with -cname.

Arguments:
  torrent            what get takes: a .torrent file, a magnet link, a URL; with
                     -cname a file

Options:
  --version          show the version line
  --path PATH        folder for what is downloaded (default: "./downloads")
  -cname CNAME       make this .torrent file of a normal file or folder
  --tracker TRACKER  such as http://host:port/announce; repeat for more
  -h, --help         show this help
`,
  );
  assert.equal((await vtorrent(folder, "--version")).stdout, `vtorrent v${VERSION}\n`);
  const wrong = await vtorrent(folder, "--pth", "x", "y.torrent");
  assert.equal(wrong.exit, 2);
  assert.match(wrong.stderr, /Usage: vtorrent \[-h\] \[--path PATH\] \[-cname CNAME\]/);
});

test("VT-13 -cname makes a .torrent of a file, and a download of it goes to ./downloads", async (context) => {
  const folder = open(context);
  const seed = async (torrent: string): Promise<number> => {
    const args = ["seed", torrent, "--data", ".", "--listen", "127.0.0.1:0", "--json"];
    const off = ["--dht", "off", "--lsd", "off", "--map-ports", "off"];
    const process = new EverseedProcess(context, [...args, ...off], { cwd: folder });
    return process.port();
  };
  const tracker = "http://127.0.0.1:9/announce";
  const made = await vtorrent(folder, "-cname", "lecture", "--tracker", tracker, "lecture.bin");
  assert.equal(made.exit, 0, made.stderr);
  assert.match(
    readFileSync(join(folder, "lecture.torrent"), "latin1"),
    /^d8:announce27:http:\/\/127/,
  );
  // The words the other way round: one of both is there.
  assert.equal((await vtorrent(folder, "-cname=lecture.bin", "other.torrent")).exit, 0);
  assert.ok(existsSync(join(folder, "other.torrent")));
  assert.equal((await vtorrent(folder, "-cname", "x", "no-such.bin")).exit, 3);

  const magnet = /urn:btih:[0-9a-f]{40}/.exec(made.stdout)![0];
  const own = await trackerThatNames(context, await seed("other.torrent"));
  const got = await vtorrent(folder, "--tracker", own, `magnet:?xt=${magnet}`);
  assert.equal(got.exit, 0, got.stderr);
  const bytes = readFileSync(join(folder, "downloads/lecture.bin"));
  assert.ok(bytes.equals(readFileSync(join(folder, "lecture.bin"))));
});
