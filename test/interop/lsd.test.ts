import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import { assertSameTree, LIBTORRENT, libtorrent, skipUnless } from "./foreign-peers.ts";
import { testInNetwork, whyNoNetworks } from "./network.ts";
import { EVERSEED, Running } from "./process.ts";

const OURS = ["--listen", "127.0.0.1:0", "--lsd", "on", "--json"];
const LSD = { EVERSEED_TEST_LSD: "1" };
const options = { skip: skipUnless(libtorrent), timeout: 120_000 };

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(500_000));
  const made = createTorrent(source, path.join(folder, "t.torrent"), []);
  const out = path.join(folder, "out");
  fs.mkdirSync(out);
  return { ...made, folder, source, out };
}

// The programs spend most of the time waiting for each other. Multicast stays on the loopback interface.
suite("local service discovery, a magnet link without a tracker", { concurrency: 2 }, () => {
  test("libtorrent seeds, ours hears it and fetches", options, async (t) => {
    const { folder, source, torrent, magnet, out } = share(t);
    const seed = new Running(t, [...LIBTORRENT, "seed", torrent, folder], LSD);
    await seed.event("ready");
    await new Running(t, [EVERSEED, "get", magnet, "-o", out, ...OURS]).succeed();
    assertSameTree(source, path.join(out, "data.bin"));
  });

  test("ours seeds, libtorrent hears it and fetches", options, async (t) => {
    const { folder, source, torrent, magnet, out } = share(t);
    const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...OURS]);
    await seed.event("ready");
    const leecher = new Running(t, [...LIBTORRENT, "leech", magnet, out], LSD);
    await leecher.event("done");
    await leecher.succeed();
    assertSameTree(source, path.join(out, "data.bin"));
  });
});

test(
  "local service discovery over IPv6 with libtorrent, both ways, on a link that has nothing else",
  {
    skip: skipUnless({ missing: () => libtorrent.missing() ?? whyNoNetworks() }),
    timeout: 120_000,
  },
  () => testInNetwork(path.join(import.meta.dirname, "ipv6-link.ts"), 2, 110_000),
);
