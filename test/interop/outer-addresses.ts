import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { makeMixedFolder, temporaryFolder } from "./content.ts";
import { assertSameTree, leechWithTransmission } from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";

// Run by `transmission.test.ts` in a separate network that has only these addresses.

const HUB = "10.77.0.1";
const OTHER = "10.77.0.2";

// It serves after ten seconds and more: both wait at the same time.
void suite("Transmission", { concurrency: 2 }, () => {
  // It calls over uTP first, and a hub that has nothing else hears no other call.
  for (const [by, transport] of [
    ["torrent", "utp"],
    ["magnet", "tcp"],
  ] as const) {
    void test(
      `Transmission at an outer address fetches by ${by} over ${transport}`,
      { timeout: 110_000 },
      async (t) => {
        const folder = temporaryFolder(t);
        initialise(folder);
        const hub = await startHub(t, folder, {
          EVERSEED_HOST: HUB,
          EVERSEED_ENGINE_TRANSPORT: transport,
        });
        const content = makeMixedFolder(folder, 65_536);
        const published = publish(folder, content, hub);
        const torrent = path.join(folder, "t.torrent");
        await fetchTorrent(published, torrent);
        const out = fs.mkdtempSync(path.join(folder, "out-"));
        const source = by === "torrent" ? torrent : String(published["magnet"]);
        const utp = transport === "utp";
        await leechWithTransmission(t, source, { folder: out, address: OTHER, utp });
        assertSameTree(content, path.join(out, path.basename(content)), ["empty.txt"]);
      },
    );
  }
});
