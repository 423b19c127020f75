import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };

interface Published {
  readonly existed: boolean;
  readonly magnet: string;
  readonly pageUrl: string;
}

test("commands report what a hub knows and decides", async (context) => {
  const cwd = temporaryFolder(context);
  await writeFile(join(cwd, "password"), "a harbour full of fog", { mode: 0o600 });
  await writeFile(join(cwd, "nul1"), "");
  await mkdir(join(cwd, "talks"));
  await writeFile(join(cwd, "talks/a.bin"), randomBytes(50_000));
  const run = (...args: string[]): ReturnType<typeof everseed> => everseed(context, args, { cwd });
  const init = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "password"];
  assert.equal((await run(...init, "--token-file", "token")).exit, 0);
  const hub = new EverseedProcess(
    context,
    ["hub", "start", "--data", "data", "--port", "0", "--json"],
    { cwd, env: PORTS },
  );
  const site = `http://127.0.0.1:${await hub.port()}`;
  const to = ["--to", site, "--token-file", "token"];
  const publish = async (...args: string[]): Promise<Published & { stderr: string }> => {
    const { exit, stdout, stderr } = await run("publish", ...args, ...to, "--json");
    assert.equal(exit, 0, stderr);
    return { ...(JSON.parse(stdout.trim().split("\n").at(-1)!) as Published), stderr };
  };

  await context.test("the first time nothing but an empty file is new", async () => {
    assert.equal((await publish("nul1")).existed, false);
    assert.equal((await publish("nul1")).existed, true);
  });

  const first = await publish("talks", "--name", "Tides");
  await context.test("content that exists keeps its title, and the command says so", async () => {
    const again = await run("publish", "talks", "--name", "Other", ...to);
    assert.match(again.stdout, /^Was here already/);
    assert.match(again.stderr, /it keeps its title there, Tides/);
  });

  await context.test("a title must be valid, and a foreign torrent keeps its own", async () => {
    for (const title of ["", "  ", "x".repeat(2_000)]) {
      const wrong = await run("publish", "talks", "--name", title, ...to);
      assert.equal(wrong.exit, 2, wrong.stderr);
      assert.match(wrong.stderr, /It takes a title of 1 to 255 characters/);
    }
    const kind = await run("publish", first.magnet, "--kind", "v2", ...to);
    assert.equal(kind.exit, 2, kind.stderr);
    assert.match(kind.stderr, /keeps what it is and what it says about itself/);
  });

  await context.test("a web address may lead to a magnet link", async () => {
    const server = createServer((_, reply) => {
      reply.writeHead(302, { location: first.magnet });
      reply.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const led = await publish(`http://127.0.0.1:${port}/m`);
    server.close();
    assert.equal(led.pageUrl, first.pageUrl);
  });

  await context.test(
    "a description that is published in place with content appears on its page",
    async () => {
      await writeFile(join(cwd, "film.mp4"), randomBytes(20_000));
      const words = ["--comment", "Seen from the quay."];
      const made = await run("publish", "--in-place", "film.mp4", "--data", "data", ...words);
      assert.equal(made.exit, 0, made.stderr);
      const found = await fetch(`${site}/api/v1/torrents?q=quay`);
      const { torrents } = (await found.json()) as { torrents: { id: string }[] };
      const detail = await fetch(`${site}/api/v1/torrents/${torrents[0]!.id}`);
      assert.equal(((await detail.json()) as { comment: string }).comment, "Seen from the quay.");
    },
  );

  await context.test(
    "a removed torrent is reported with who removed it, when, and until when it can be restored",
    async () => {
      const removed = await run("unpublish", first.pageUrl, "--token-file", "token");
      assert.equal(removed.exit, 0, removed.stderr);
      for (const args of [
        ["get", first.pageUrl, "-o", "out"],
        ["show", first.pageUrl],
        ["show", first.pageUrl.replace(/\/[^/]*$/, ".torrent")],
        ["publish", first.pageUrl, ...to],
      ]) {
        const { exit, stderr } = await run(...args);
        assert.equal(exit, 3, `${args.join(" ")}: ${stderr}`);
        assert.match(stderr, /^everseed: This torrent was removed by ann on [0-9-]{10}\./m);
        assert.match(
          stderr,
          /Try: its publisher and the administrators of this hub can undo that until [0-9-]{10}\./,
        );
      }
    },
  );
});
