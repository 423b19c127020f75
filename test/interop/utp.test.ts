import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import {
  assertSameTree,
  type ForeignEncryption,
  LIBTORRENT,
  libtorrent,
  seedWithTransmission,
  skipUnless,
  transmission,
} from "./foreign-peers.ts";
import { EVERSEED, Running } from "./process.ts";

const SIZE = 3 * 1024 * 1024;
/** Slow enough for both programs to see how they are connected. */
const BYTES_PER_SECOND = String(SIZE / 3);
const OURS = ["--transport", "utp", "--listen", "127.0.0.1:0", "--dht", "off", "--json"];

/** What libtorrent does, what we do, and how the stream goes over the line. */
const STREAMS: readonly (readonly [ForeignEncryption, string, string])[] = [
  ["off", "off", "none"],
  ["allow", "prefer", "header"],
  ["require", "require", "rc4"],
];

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const pieces = ["--piece-size", "65536", "--kind", "v1"];
  const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), pieces);
  const out = path.join(folder, "fetched");
  fs.mkdirSync(out);
  return { folder, source, out, torrent };
}

/** @returns How the connections of our `get` went over the line. */
async function getFrom(
  t: TestContext,
  { torrent, out, source }: ReturnType<typeof share>,
  { port, encryption }: { readonly port: number; readonly encryption: string },
): Promise<unknown> {
  const from = ["--peer", `127.0.0.1:${port}`, "--encryption", encryption];
  const limits = ["--down", BYTES_PER_SECOND];
  const running = new Running(t, [
    EVERSEED,
    "get",
    torrent,
    "-o",
    out,
    ...from,
    ...limits,
    ...OURS,
  ]);
  const connected = await running.event("connected");
  await running.event("done");
  await running.succeed();
  assertSameTree(source, path.join(out, "data.bin"));
  return connected["streams"];
}

const env = { EVERSEED_TEST_TRANSPORT: "utp" };
const withLibtorrent = { timeout: 60_000, skip: skipUnless(libtorrent) };
suite("uTP and nothing else", { concurrency: 4 }, () => {
  for (const [theirs, encryption, seen] of STREAMS) {
    const theirEnv = { ...env, EVERSEED_TEST_ENCRYPTION: theirs };
    test(
      `libtorrent with ${theirs} seeds, get with ${encryption} fetches`,
      withLibtorrent,
      async (t) => {
        const shared = share(t);
        const seed = new Running(
          t,
          [...LIBTORRENT, "seed", shared.torrent, shared.folder],
          theirEnv,
        );
        const port = Number((await seed.event("ready"))["port"]);
        assert.deepEqual(await getFrom(t, shared, { port, encryption }), [
          { transport: "utp", encryption: seen, peers: 1 },
        ]);
      },
    );

    test(
      `seed with ${encryption} seeds, libtorrent with ${theirs} fetches`,
      withLibtorrent,
      async (t) => {
        const shared = share(t);
        const { torrent, folder, out } = shared;
        const args = ["--data", folder, "--encryption", encryption, "--up", BYTES_PER_SECOND];
        const seed = new Running(t, [EVERSEED, "seed", torrent, ...args, ...OURS]);
        const port = Number((await seed.event("ready"))["port"]);
        const peer = ["leech", torrent, out, `127.0.0.1:${port}`];
        const leecher = new Running(t, [...LIBTORRENT, ...peer], theirEnv);
        const done = await leecher.event("done");
        await leecher.succeed();
        assertSameTree(shared.source, path.join(out, "data.bin"));
        assert.deepEqual([done["encryption"], done["transports"]], [[seen], ["utp"]]);
      },
    );
  }

  const withTransmission = { timeout: 60_000, skip: skipUnless(transmission) };
  test("Transmission seeds, get fetches", withTransmission, async (t) => {
    const shared = share(t);
    const { torrent, folder } = shared;
    const port = await seedWithTransmission(t, torrent, { folder, utp: true });
    const streams = await getFrom(t, shared, { port, encryption: "off" });
    assert.deepEqual(streams, [{ transport: "utp", encryption: "none", peers: 1 }]);
  });
});
