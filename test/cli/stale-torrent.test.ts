import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const LISTEN = ["--listen", "127.0.0.1:0"];

/** A folder `v` and the torrent that was created from it. */
async function prepare(context: TestContext): Promise<string> {
  const cwd = temporaryFolder(context);
  await mkdir(join(cwd, "v"));
  await writeFile(join(cwd, "v/a.bin"), randomBytes(60_000));
  await writeFile(join(cwd, "v/b.bin"), randomBytes(40_000));
  const made = await everseed(context, ["create", "v", "--piece-size", "16K"], { cwd });
  assert.equal(made.exit, 0, made.stderr);
  return cwd;
}

const changes: [what: string, change: (cwd: string) => Promise<void>, words: RegExp][] = [
  [
    "other bytes of the same length under an old date",
    async (cwd) => {
      await writeFile(join(cwd, "v/a.bin"), randomBytes(60_000));
      await utimes(join(cwd, "v/a.bin"), 1, 1);
    },
    /4 of 7 pieces have other bytes/,
  ],
  ["a file more", (cwd) => writeFile(join(cwd, "v/c.bin"), "new"), /v\/c\.bin is not in it/],
  [
    "a file that grew",
    (cwd) => writeFile(join(cwd, "v/b.bin"), randomBytes(40_001)),
    /v\/b\.bin has 40001 bytes, and 40000 there/,
  ],
];
for (const [what, change, words] of changes) {
  test(`seed does not use a torrent for content with ${what}, and touches neither`, async (context) => {
    const cwd = await prepare(context);
    await change(cwd);
    const torrent = await readFile(join(cwd, "v.torrent"));
    const refused = await everseed(context, ["seed", "v", ...LISTEN], { cwd });
    assert.equal(refused.exit, 4, refused.stderr);
    assert.match(refused.stderr, /^everseed: The content of v is not that of v\.torrent: /m);
    assert.match(refused.stderr, words);
    assert.match(refused.stderr, /Try: everseed create v --force/);
    assert.ok(torrent.equals(await readFile(join(cwd, "v.torrent"))));
  });
}

test("seed says that it uses the existing torrent, and announces to the trackers that the user names, wherever they are", async (context) => {
  const cwd = await prepare(context);
  // Content that was copied again, with the same bytes.
  await writeFile(join(cwd, "v/a.bin"), await readFile(join(cwd, "v/a.bin")));
  let heard: (() => void) | undefined;
  const asked: string[] = [];
  const tracker = createServer((request, reply) => {
    asked.push(request.url ?? "");
    heard?.();
    reply.end("d8:intervali900e5:peers0:e");
  });
  tracker.listen(0, "127.0.0.1");
  await once(tracker, "listening");
  context.after(() => {
    tracker.close();
    tracker.closeAllConnections();
  });
  const { port } = tracker.address() as AddressInfo;
  // A torrent may not name this path on this machine; a user may.
  const url = `http://127.0.0.1:${port}/abc/announce`;
  for (const [source, env] of [
    ["v", undefined],
    ["v.torrent", undefined],
    ["v", { EVERSEED_TRACKERS: url }],
  ] as const) {
    asked.length = 0;
    const announced = new Promise<void>((resolve) => (heard = resolve));
    const named = env ? [] : ["--tracker", url];
    const seed = new EverseedProcess(context, ["seed", source, ...named, ...LISTEN, "--json"], {
      cwd,
      ...(env && { env }),
    });
    await announced;
    assert.match(asked[0]!, /^\/abc\/announce\?info_hash=/);
    seed.child.kill("SIGINT");
    const { stdout } = await seed.finished;
    assert.equal(/"event":"known","file":"v\.torrent"/.test(stdout), source === "v");
  }
});
