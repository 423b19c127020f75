import assert from "node:assert/strict";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess } from "./everseed-process.ts";
import { talks } from "./talks.ts";

const ALONE = ["--listen", "127.0.0.1:0", "--json"];

interface FileServer {
  readonly url: string;
  /** Paths and ranges that were requested. */
  readonly requests: string[];
}

/** A plain server of files that knows ranges. @param identity - With one it speaks HTTPS. */
async function serveFiles(
  context: TestContext,
  folder: string,
  identity?: { readonly key: Buffer; readonly cert: Buffer },
): Promise<FileServer> {
  const requests: string[] = [];
  const send = async (
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> => {
    const path = decodeURIComponent(request.url!);
    requests.push(`${request.url} ${request.headers.range}`);
    await using file = await open(join(folder, path));
    const { size } = await file.stat();
    const [, first, last] = /^bytes=([0-9]+)-([0-9]+)$/.exec(request.headers.range ?? "") ?? [];
    const start = Number(first ?? 0);
    const end = Number(last ?? size - 1);
    const { buffer } = await file.read(Buffer.alloc(end + 1 - start), 0, end + 1 - start, start);
    const range = { "content-range": `bytes ${start}-${end}/${size}` };
    response.writeHead(first === undefined ? 200 : 206, first === undefined ? {} : range);
    response.end(buffer);
  };
  const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    send(request, response).catch(() => response.writeHead(404).end());
  };
  const server = identity ? https.createServer(identity, answer) : http.createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${identity ? "https" : "http"}://127.0.0.1:${port}/`, requests };
}

async function assertCopied(folder: string): Promise<void> {
  for (const file of ["talks/a.bin", "talks/slides/b.pdf", "talks/empty"]) {
    const [copy, original] = await Promise.all(
      [join(folder, "copy", file), join(folder, file)].map((path) => readFile(path)),
    );
    assert.ok(copy!.equals(original!), file);
  }
}

test("get --web-seed downloads from a web server alone, of which the torrent says nothing", async (context) => {
  const { folder } = await talks(context);
  const { url, requests } = await serveFiles(context, folder);
  const args = ["get", "talks.torrent", "-o", "copy", "--web-seed", url, ...ALONE];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  await assertCopied(folder);
  assert.match(
    got.stdout,
    /"event":"web-seed","url":"http:\/\/127.0.0.1:[0-9]+\/","state":"connected"/,
  );
  assert.ok(requests.length < 30, `${requests.length} requests`);
});

test("HUB-7: a torrent from a file leads to no web server in our own network, unless the user names it", async (context) => {
  const { folder } = await talks(context);
  const { url, requests } = await serveFiles(context, folder);
  const made = await everseed(
    context,
    ["create", "talks", "-o", "web.torrent", "--web-seed", url, "--json"],
    { cwd: folder },
  );
  assert.match(JSON.parse(made.stdout).magnet as string, /&ws=http%3A%2F%2F127\.0\.0\.1/);
  const shown = await everseed(context, ["show", "web.torrent"], { cwd: folder });
  assert.match(shown.stdout, new RegExp(`Web seed +${url}`));
  const args = ["get", "web.torrent", "-o", "copy", ...ALONE];
  const get = new EverseedProcess(context, args, { cwd: folder });
  await get.waitFor(/"state":"off","reason":"127\.0\.0\.1 is in your own network/);
  get.child.kill("SIGINT");
  await get.finished;
  assert.deepEqual(requests, []);
  const again = await everseed(context, [...args, "--web-seed", url], { cwd: folder });
  assert.equal(again.exit, 0, again.stderr);
  await assertCopied(folder);
});

test("a torrent that was fetched from a server of our own network may name that server", async (context) => {
  const { folder } = await talks(context);
  const { url } = await serveFiles(context, folder);
  const args = ["create", "talks", "-o", "web.torrent", "--web-seed", url];
  assert.equal((await everseed(context, args, { cwd: folder })).exit, 0);
  const got = await everseed(context, ["get", `${url}web.torrent`, "-o", "copy", ...ALONE], {
    cwd: folder,
  });
  assert.equal(got.exit, 0, got.stderr);
  await assertCopied(folder);
});

test("seed --web-seed names it in the torrent that it makes", async (context) => {
  const { folder } = await talks(context);
  const args = ["seed", "talks/a.bin", "--web-seed", "https://mirror.example/a.bin", ...ALONE];
  const seed = new EverseedProcess(context, args, { cwd: folder });
  await seed.waitFor(/"event":"ready"/);
  seed.child.kill("SIGINT");
  await seed.finished;
  const shown = await everseed(context, ["show", "a.bin.torrent", "--json"], { cwd: folder });
  assert.deepEqual(JSON.parse(shown.stdout).webSeeds, ["https://mirror.example/a.bin"]);
});

/** A certificate for 127.0.0.1 that nobody has signed but its owner. @returns `undefined` when it cannot be made here. */
async function selfSigned(context: TestContext, folder: string) {
  const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
  const names = ["-subj", "/CN=a web seed", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    const files = ["-keyout", keyFile, "-out", certificateFile];
    execFileSync("openssl", [...request.split(" "), ...names, ...files], { stdio: "ignore" });
  } catch (cause) {
    context.skip(`no openssl to make a certificate with: ${String(cause)}`);
    return undefined;
  }
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(certificateFile)]);
  return { key, cert, certificateFile };
}

test("a web seed over HTTPS is read when its certificate is trusted, and refused with the cause when it is not", async (context) => {
  const { folder } = await talks(context);
  const identity = await selfSigned(context, folder);
  if (!identity) return;
  const { url, requests } = await serveFiles(context, folder, identity);
  const args = ["get", "talks.torrent", "-o", "copy", "--web-seed", url, ...ALONE];
  const get = new EverseedProcess(context, args, { cwd: folder });
  const [, why] = await get.waitFor(/"event":"web-seed"[^\n]*"reason":"([^"]*certificate[^"]*)"/);
  assert.match(why!, /127\.0\.0\.1.*self-signed certificate/);
  get.child.kill("SIGINT");
  await get.finished;
  assert.deepEqual(requests, [], "nothing is asked of a server that may be another one");
  const env = { NODE_EXTRA_CA_CERTS: identity.certificateFile };
  const got = await everseed(context, args, { cwd: folder, env });
  assert.equal(got.exit, 0, got.stderr);
  await assertCopied(folder);
  assert.ok(requests.length > 0);
});
