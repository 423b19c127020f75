import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { surroundInfo } from "../../src/metainfo/surround-info.ts";
import { createTorrent, makeMixedFolder, temporaryFolder } from "./content.ts";
import { aria2, assertSameTree, libtorrent, program, skipUnless } from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";
import { freePort } from "../fixtures/free-port.ts";
import { EVERSEED, Running } from "./process.ts";

/** The .torrent of a publication whose only source is the hub's own web seed: no tracker is in it. */
async function publishedOnTheWeb(
  t: TestContext,
  kind: "v1" | "hybrid",
): Promise<{ readonly folder: string; readonly content: string; readonly torrent: string }> {
  const folder = temporaryFolder(t);
  initialise(folder);
  const port = String(await freePort());
  const publicUrl = `http://127.0.0.1:${port}`;
  const env = { EVERSEED_PORT: port, EVERSEED_PUBLIC_URL: publicUrl };
  const hub = await startHub(t, folder, env);
  const content = makeMixedFolder(folder, 65_536);
  const published = publish(folder, content, hub, ["--kind", kind]);
  const torrent = path.join(folder, "t.torrent");
  await fetchTorrent(published, torrent);
  const bytes = fs.readFileSync(torrent);
  const { webSeeds } = parseMetainfo(bytes);
  assert.equal(webSeeds.length, 1);
  assert.ok(webSeeds[0]!.startsWith(`${publicUrl}/t/`));
  fs.writeFileSync(torrent, surroundInfo(bytes, { trackers: [], webSeeds }));
  return { folder, content, torrent };
}

// Without a tracker and a peer, libtorrent and aria2c have the hub's web server alone.
for (const [peer, kind] of [
  [libtorrent, "v1"],
  [libtorrent, "hybrid"],
  [aria2, "v1"],
] as const) {
  test(
    `BEP 19: ${peer.name} downloads a published ${kind} from the hub's web seed alone`,
    { skip: skipUnless(peer) },
    async (t) => {
      const { folder, content, torrent } = await publishedOnTheWeb(t, kind);
      const copy = path.join(folder, "copy");
      fs.mkdirSync(copy);
      await peer.leech(t, torrent, copy);
      assertSameTree(content, path.join(copy, path.basename(content)));
    },
  );
}

/** nginx as a plain server of the files of a folder. @returns Its URL. */
async function startNginx(t: TestContext, folder: string): Promise<string> {
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `${each}_temp_path ${folder}/.${each};`)
    .join(" ");
  const file = path.join(folder, "nginx.conf");
  fs.writeFileSync(
    file,
    `daemon off; pid ${folder}/nginx.pid; error_log stderr;\nevents {}\n` +
      `http { access_log off; ${temporary}\nserver { listen 127.0.0.1:${port}; root ${folder};\n` +
      `location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; } } }\n`,
  );
  const running = new Running(t, ["nginx", "-p", folder, "-e", "stderr", "-c", file]);
  const url = `http://127.0.0.1:${port}/`;
  for (;;) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return url;
    assert.equal(running.child.exitCode, null, running.output);
  }
}

for (const [kind, where] of [
  ["v1", ""],
  ["hybrid", "moved/"],
  ["v2", ""],
] as const) {
  test(
    `BEP 19: ours downloads a ${kind} folder from nginx alone${where && ", through redirects"}`,
    { skip: skipUnless(program("nginx")) },
    async (t) => {
      const folder = temporaryFolder(t);
      // Its workers may be another user.
      fs.chmodSync(folder, 0o755);
      const content = makeMixedFolder(folder, 65_536);
      const url = (await startNginx(t, folder)) + where;
      const { torrent } = createTorrent(content, path.join(folder, "t.torrent"), ["--kind", kind]);
      const copy = path.join(folder, "copy");
      const args = ["get", torrent, "-o", copy, "--web-seed", url, "--listen", "127.0.0.1:0"];
      const got = new Running(t, [EVERSEED, ...args, "--json"]);
      await got.succeed();
      assertSameTree(content, path.join(copy, path.basename(content)));
    },
  );
}
