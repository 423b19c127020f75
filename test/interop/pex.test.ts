import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import {
  assertSameTree,
  LIBTORRENT,
  libtorrent,
  QBittorrent,
  qbittorrent,
  skipUnless,
} from "./foreign-peers.ts";
import { EVERSEED, Running, until } from "./process.ts";

const SIZE = 3 * 1024 * 1024;
/** Whoever stands in the middle moves this much: the content would take it five minutes. */
const MIDDLE_BYTES_PER_SECOND = "10240";
const OURS = ["--listen", "127.0.0.1:0", "--json"];

/** A torrent, its content, and a folder for each who has nothing of it. */
function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), []);
  const [middle, out] = [path.join(folder, "middle"), path.join(folder, "out")];
  for (const each of [middle, out]) fs.mkdirSync(each);
  return { folder, source, torrent, middle, out };
}

async function portOf(running: Running): Promise<string> {
  return `127.0.0.1:${Number((await running.event("ready"))["port"])}`;
}

const options = { skip: skipUnless(libtorrent), timeout: 120_000 };
const withQBittorrent = { skip: skipUnless(qbittorrent), timeout: 120_000 };

// The programs spend most of the time waiting for each other.
suite(
  "peer exchange: two know only the third, which is too slow to pass the content on",
  {
    concurrency: 2,
  },
  () => {
    test("libtorrent tells ours of a seed of ours", options, async (t) => {
      const { folder, source, torrent, middle, out } = share(t);
      const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...OURS]);
      const slow = { EVERSEED_TEST_RATE: MIDDLE_BYTES_PER_SECOND };
      const third = [...LIBTORRENT, "leech", torrent, middle, await portOf(seed)];
      const between = await portOf(new Running(t, third, slow));
      const get = [EVERSEED, "get", torrent, "-o", out, "--peer", between, ...OURS];
      await new Running(t, get).succeed();
      assertSameTree(source, path.join(out, "data.bin"));
    });

    test("ours tells libtorrent of a seed of libtorrent", options, async (t) => {
      const { folder, source, torrent, middle, out } = share(t);
      const seed = new Running(t, [...LIBTORRENT, "seed", torrent, folder]);
      const rates = ["--down", MIDDLE_BYTES_PER_SECOND, "--up", MIDDLE_BYTES_PER_SECOND];
      const known = ["--peer", await portOf(seed), ...rates, ...OURS];
      const third = new Running(t, [EVERSEED, "get", torrent, "-o", middle, ...known]);
      const leecher = [...LIBTORRENT, "leech", torrent, out, await portOf(third)];
      const running = new Running(t, leecher);
      await running.event("done");
      await running.succeed();
      assertSameTree(source, path.join(out, "data.bin"));
    });

    test("qBittorrent tells ours of a seed of ours", withQBittorrent, async (t) => {
      const { folder, source, torrent, middle, out } = share(t);
      const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...OURS]);
      const client = await QBittorrent.start(t, { pex: true });
      await client.add(torrent, middle, Number(MIDDLE_BYTES_PER_SECOND));
      await client.addPeer(await portOf(seed));
      const between = `127.0.0.1:${client.peerPort}`;
      const get = [EVERSEED, "get", torrent, "-o", out, "--peer", between, ...OURS];
      await new Running(t, get).succeed();
      assertSameTree(source, path.join(out, "data.bin"));
    });

    test("ours tells qBittorrent of a seed of ours", withQBittorrent, async (t) => {
      const { folder, source, torrent, middle, out } = share(t);
      const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...OURS]);
      const rates = ["--down", MIDDLE_BYTES_PER_SECOND, "--up", MIDDLE_BYTES_PER_SECOND];
      const known = ["--peer", await portOf(seed), ...rates, ...OURS];
      const third = new Running(t, [EVERSEED, "get", torrent, "-o", middle, ...known]);
      const client = await QBittorrent.start(t, { pex: true });
      await client.add(torrent, out);
      await client.addPeer(await portOf(third));
      await until("qBittorrent has everything", () => client.done());
      assertSameTree(source, path.join(out, "data.bin"));
    });
  },
);
