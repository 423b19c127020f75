import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = {
  EVERSEED_ENGINE_PORT: "0",
  EVERSEED_TRACKER_UDP_PORT: "0",
  XDG_DATA_HOME: "/nowhere",
};

test("HUB-18: unpublish removes a torrent, its tracker and seed forget it, --undo restores it", async (context) => {
  const folder = temporaryFolder(context);
  const run = (...args: string[]) => everseed(context, args, { cwd: folder });
  await writeFile(join(folder, "password"), "a harbour full of fog\n", { mode: 0o600 });
  await writeFile(join(folder, "tides.bin"), randomBytes(200_000));
  const init = ["--data", "data", "--admin", "ann", "--password-file", "password"];
  assert.equal((await run("hub", "init", ...init, "--token-file", "token")).exit, 0);
  const words = ["hub", "start", "--data", "data", "--port", "0", "--json"];
  const hub = new EverseedProcess(context, words, { cwd: folder, env: PORTS });
  const url = `http://127.0.0.1:${await hub.port()}`;
  const token = ["--token-file", "token"];
  const published = await run("publish", "tides.bin", "--to", url, ...token, "--json");
  assert.equal(published.exit, 0, published.stderr);
  const { pageUrl, torrentUrl, infohashV1 } = JSON.parse(published.stdout) as Record<
    string,
    string
  >;
  const hash = infohashV1!.replace(/../g, "%$&");
  const announce = async (port: number) => {
    const id = `info_hash=${hash}&peer_id=-XX0000-abcdefghijkl&left=1&uploaded=0&downloaded=0`;
    return (await fetch(`${url}/announce?${id}&port=${port}&compact=1`)).text();
  };
  assert.match(await announce(1), /8:completei1e/);

  const removed = await run("unpublish", pageUrl!, ...token);
  assert.equal(removed.exit, 0, removed.stderr);
  assert.match(removed.stdout, /^Removed {2}tides\.bin$/m);
  assert.match(
    removed.stderr,
    /Until \d{4}-\d\d-\d\d the same command with --undo brings it back\./,
  );
  assert.match(await announce(2), /not registered here/);
  assert.equal((await fetch(pageUrl!)).status, 410);
  const got = await run("get", torrentUrl!, "-o", "copy");
  assert.notEqual(got.exit, 0);
  assert.match(got.stderr, /410|removed/);
  const again = await run("unpublish", torrentUrl!, ...token);
  assert.equal(again.exit, 3, again.stderr);
  assert.match(again.stderr, /was removed by ann/);

  const back = await run("unpublish", torrentUrl!, ...token, "--undo", "--json");
  assert.equal(back.exit, 0, back.stderr);
  assert.equal((JSON.parse(back.stdout) as { pageUrl: string }).pageUrl, pageUrl);
  const fetched = await run("get", torrentUrl!, "-o", "copy", "--listen", "127.0.0.1:0");
  assert.equal(fetched.exit, 0, fetched.stderr);
  assert.deepEqual(await readdir(join(folder, "copy")), ["tides.bin"]);

  for (const odd of ["talks", `${url}/`, `${url}/t/`, "ftp://hub.example/t/abc", `${url}/search`]) {
    const wrong = await run("unpublish", odd, ...token);
    assert.equal(wrong.exit, 2, odd);
    assert.match(wrong.stderr, /is not the address of a torrent on a hub/, odd);
  }
  const nobody = await run("unpublish", `${url}/t/nothere`, ...token);
  assert.equal(nobody.exit, 3, nobody.stderr);
});
