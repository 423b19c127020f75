import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import { assertSameTree, LIBTORRENT, libtorrent, skipUnless } from "./foreign-peers.ts";
import { EVERSEED, Running } from "./process.ts";

const options = { skip: skipUnless(libtorrent), timeout: 120_000 };

test(
  "two leechers of libtorrent fetch everything from a super-seed and each other",
  options,
  async (t) => {
    const folder = temporaryFolder(t);
    const source = path.join(folder, "data.bin");
    fs.writeFileSync(source, randomBytes(2 * 1024 * 1024));
    const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), [
      "--piece-size",
      "32768",
    ]);
    const flags = ["--super", "--listen", "127.0.0.1:0", "--json"];
    const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...flags]);
    const peer = `127.0.0.1:${Number((await seed.event("ready"))["port"])}`;
    const leechers: Running[] = [];
    const known = [peer];
    for (const name of ["one", "other"]) {
      const out = path.join(folder, name);
      fs.mkdirSync(out);
      const leecher = new Running(t, [...LIBTORRENT, "leech", torrent, out, ...known]);
      known.push(`127.0.0.1:${Number((await leecher.event("ready"))["port"])}`);
      leechers.push(leecher);
    }
    await Promise.all(leechers.map((leecher) => leecher.event("done")));
    for (const leecher of leechers) await leecher.succeed();
    for (const name of ["one", "other"])
      assertSameTree(source, path.join(folder, name, "data.bin"));
  },
);
