import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { makeMixedFolder, temporaryFolder } from "./content.ts";
import { assertSameTree, libtorrent, qbittorrent, skipUnless } from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";

// The main job as it comes: nothing is chosen, so it is a hybrid, and the everseed is all there is.

for (const peer of [libtorrent, qbittorrent]) {
  for (const by of ["torrent", "magnet"] as const) {
    test(
      `PUB-1.3: ${peer.name} fetches a published hybrid by ${by}, again after kill -9 of the hub`,
      { skip: skipUnless(peer) },
      async (t) => {
        const folder = temporaryFolder(t);
        initialise(folder);
        let hub = await startHub(t, folder);
        const ports = {
          EVERSEED_PORT: String(hub.port),
          EVERSEED_TRACKER_UDP_PORT: String(hub.udpPort),
        };
        const content = makeMixedFolder(folder, 65_536);
        const published = publish(folder, content, hub);
        assert.match(String(published["infohashV1"]), /^[0-9a-f]{40}$/);
        assert.match(String(published["infohashV2"]), /^[0-9a-f]{64}$/);
        const torrent = path.join(folder, "t.torrent");
        await fetchTorrent(published, torrent);
        const source = by === "torrent" ? torrent : String(published["magnet"]);

        /** Gone when it has everything, so that the everseed is alone again. */
        const fetchOnce = (when: string): Promise<void> =>
          t.test(when, async (once) => {
            const out = fs.mkdtempSync(path.join(folder, "out-"));
            await peer.leech(once, source, out);
            assertSameTree(content, path.join(out, path.basename(content)));
          });
        await fetchOnce("just published");
        hub.running.child.kill("SIGKILL");
        await hub.running.exitCode;
        hub = await startHub(t, folder, ports);
        await fetchOnce("after kill -9");
      },
    );
  }
}
