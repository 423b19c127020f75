import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { makeMixedFolder, temporaryFolder } from "./content.ts";
import { assertSameTree, FOREIGN_PEERS, skipUnless, transmission } from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";

/** With default settings, which every program reads; and as a hybrid, for programs that read it. */
const KINDS = [
  { kind: "v1", options: [] },
  { kind: "hybrid", options: ["--kind", "hybrid"] },
] as const;

// The main task, with only the everseed in the swarm.

test(
  "PUB-1.1: Transmission reads a publication with default settings",
  { skip: skipUnless(transmission) },
  async (t) => {
    const folder = temporaryFolder(t);
    initialise(folder);
    const content = makeMixedFolder(folder, 65_536);
    const published = publish(folder, content, await startHub(t, folder));
    const torrent = path.join(folder, "t.torrent");
    await fetchTorrent(published, torrent);
    const shown = execFileSync("transmission-show", [torrent], { encoding: "utf8" });
    assert.match(shown, new RegExp(`^  Hash: ${String(published["infohashV1"])}$`, "m"));
    for (const name of ["large.bin", "второй день/запись.bin"]) assert.ok(shown.includes(name));
  },
);

for (const peer of FOREIGN_PEERS.filter((each) => each.dialsLoopback)) {
  for (const { kind, options } of KINDS) {
    if (kind === "hybrid" && !peer.readsHybrid) continue;
    for (const by of ["torrent", "magnet"] as const) {
      test(
        `PUB-1.1: ${peer.name} fetches a published ${kind} by ${by}, again after kill -9 of the hub`,
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
          const published = publish(folder, content, hub, options);
          assert.match(String(published["infohashV1"]), /^[0-9a-f]{40}$/);
          const v2 = kind === "hybrid" ? /^[0-9a-f]{64}$/ : /^null$/;
          assert.match(String(published["infohashV2"]), v2);
          const torrent = path.join(folder, "t.torrent");
          await fetchTorrent(published, torrent);
          const source = by === "torrent" ? torrent : String(published["magnet"]);

          /** It leaves when it has everything, so that the everseed is alone again. */
          const fetchOnce = (when: string): Promise<void> =>
            t.test(when, async (once) => {
              const out = fs.mkdtempSync(path.join(folder, "out-"));
              await peer.leech(once, source, out);
              const fetched = path.join(out, path.basename(content));
              assertSameTree(content, fetched, peer.makesEmptyFiles ? [] : ["empty.txt"]);
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
}
