import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { makeMixedFolder, temporaryFolder } from "./content.ts";
import { program, skipUnless } from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";
import { freePort } from "../fixtures/free-port.ts";
import { EVERSEED, Running, until } from "./process.ts";

// Follows the instructions of docs/OPERATING.md to the letter.

const manual = fs.readFileSync(
  path.resolve(import.meta.dirname, "../../docs/OPERATING.md"),
  "utf8",
);

/** The fenced block of this language in the manual. @param word - It has it. */
function block(language: string, word = ""): string {
  const blocks = manual.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"));
  const [, found] = [...blocks].find(([, text]) => text!.includes(word)) ?? [];
  assert.ok(found, `the manual has no ${language} block ${word}`);
  return found;
}

/** Replaces exactly this text. */
function put(text: string, changes: Readonly<Record<string, string>>): string {
  let changed = text;
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(changed.includes(from), `the manual no longer says ${from}`);
    changed = changed.replaceAll(from, to);
  }
  return changed;
}

const PROXIES = [
  {
    name: "nginx",
    start(t: TestContext, folder: string, proxyPort: number, hubPort: number): Running {
      const server = put(block("nginx"), {
        "listen 443 ssl http2;": `listen 127.0.0.1:${proxyPort};`,
        "server_name hub.example;": "",
        "ssl_certificate /etc/letsencrypt/live/hub.example/fullchain.pem;": "",
        "ssl_certificate_key /etc/letsencrypt/live/hub.example/privkey.pem;": "",
        "127.0.0.1:8420": `127.0.0.1:${hubPort}`,
      });
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((each) => `${each}_temp_path ${folder}/${each};`)
        .join(" ");
      const file = path.join(folder, "nginx.conf");
      fs.writeFileSync(
        file,
        `daemon off; pid ${folder}/nginx.pid; error_log stderr;\nevents {}\n` +
          `http { access_log off; ${temporary}\n${server}}\n`,
      );
      return new Running(t, ["nginx", "-p", folder, "-e", "stderr", "-c", file]);
    },
  },
  {
    name: "caddy",
    start(t: TestContext, folder: string, proxyPort: number, hubPort: number): Running {
      const site = put(block("caddy"), {
        "hub.example": `http://127.0.0.1:${proxyPort}`,
        "127.0.0.1:8420": `127.0.0.1:${hubPort}`,
      });
      const file = path.join(folder, "Caddyfile");
      fs.writeFileSync(file, `{\n\tadmin off\n}\n${site}`);
      return new Running(t, ["caddy", "run", "--config", file, "--adapter", "caddyfile"], {
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
      });
    },
  },
];

for (const proxy of PROXIES) {
  test(
    `behind ${proxy.name}: pages, uploads, downloads and live figures, and each peer has its own address`,
    { skip: skipUnless(program(proxy.name)) },
    async (t) => {
      const folder = temporaryFolder(t);
      initialise(folder);
      const [proxyPort, hubPort] = [await freePort(), await freePort()];
      const site = `http://127.0.0.1:${proxyPort}`;
      fs.writeFileSync(
        path.join(folder, "data/everseed.yaml"),
        put(block("yaml", "publicUrl"), { "https://hub.example": site }),
      );
      const hub = await startHub(t, folder, { EVERSEED_PORT: String(hubPort) });
      proxy.start(t, folder, proxyPort, hubPort);
      await until(`${proxy.name} answers`, () =>
        fetch(`${site}/login`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );

      const content = path.join(folder, "large.bin");
      fs.writeFileSync(content, Buffer.alloc(20_000_000, "tide"));
      const published = publish(folder, content, { ...hub, url: site });
      assert.ok(String(published["pageUrl"]).startsWith(`${site}/t/`), "links name the proxy");
      assert.ok((await fetch(String(published["pageUrl"]))).ok);
      const id = String(published["torrentUrl"]).replace(/\.torrent$/, "");
      const whole = await fetch(`${id}/files/0/large.bin`);
      assert.ok(Buffer.from(await whole.arrayBuffer()).equals(fs.readFileSync(content)));

      const live = await fetch(`${site}/api/v1/torrents/${id.split("/").at(-1)}/live`);
      const reader = live.body!.getReader();
      const first = await reader.read();
      assert.match(Buffer.from(first.value).toString(), /figures|retry|:/);
      await reader.cancel();

      const infohash = Buffer.from(String(published["infohashV1"]), "hex");
      await announceFrom("127.0.0.5", proxyPort, infohash, 6001);
      const peers = await announceFrom("127.0.0.6", proxyPort, infohash, 6002);
      assert.ok(
        peers.includes(Buffer.from([127, 0, 0, 5, 6001 >> 8, 6001 & 255])),
        "the second peer is not told of the first by the address it came from",
      );
    },
  );
}

/** Announces from an address of this machine, with a header that claims another. @returns The reply. */
function announceFrom(
  localAddress: string,
  port: number,
  infohash: Buffer,
  peerPort: number,
): Promise<Buffer> {
  const escaped = [...infohash].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const peerId = `-XX0000-${String(peerPort).padStart(12, "0")}`;
  const query = `info_hash=${escaped}&peer_id=${peerId}&port=${peerPort}&left=1&compact=1&uploaded=0&downloaded=0`;
  return new Promise((resolve, reject) => {
    const headers = { "x-forwarded-for": "203.0.113.9" };
    http
      .get(
        { host: "127.0.0.1", port, localAddress, path: `/announce?${query}`, headers },
        (reply) => {
          const chunks: Buffer[] = [];
          reply.on("data", (chunk: Buffer) => chunks.push(chunk));
          reply.on("end", () => resolve(Buffer.concat(chunks)));
          reply.on("error", reject);
        },
      )
      .on("error", reject);
  });
}

test(
  "a copy of the data folder is a whole hub, wherever it is",
  { skip: skipUnless(program("rsync")) },
  async (t) => {
    const command = /^ {4}(rsync -aH --delete) \/var\/lib\/everseed\/ \/backup\/everseed\/$/m.exec(
      manual,
    )?.[1];
    assert.ok(command, "the manual no longer says how to copy");
    const [program, ...flags] = command.split(" ");
    const copy = (from: string, to: string) =>
      execFileSync(program!, [...flags, `${from}/`, `${to}/`]);
    const folder = temporaryFolder(t);
    initialise(folder);
    const content = makeMixedFolder(folder, 65_536);
    const hub = await startHub(t, folder);
    const published = publish(folder, content, hub);
    publish(folder, content, hub, ["--kind", "v2"]);
    await hub.running.stop();
    const backup = path.join(folder, "backup");
    copy(path.join(folder, "data"), backup);

    // Later data is not in the copy; then the disk is lost.
    const later = await startHub(t, folder);
    fs.writeFileSync(path.join(folder, "later.bin"), "later");
    publish(folder, path.join(folder, "later.bin"), later);
    await later.running.stop();
    fs.rmSync(path.join(folder, "data"), { recursive: true });

    const other = path.join(folder, "another disk");
    fs.mkdirSync(other);
    copy(backup, path.join(other, "data"));
    assert.equal(diskBlocks(path.join(other, "data")), diskBlocks(backup), "names of one file");
    const restored = await startHub(t, other);
    const there = String(published["torrentUrl"]).replace(hub.url, restored.url);
    const torrent = path.join(folder, "t.torrent");
    await fetchTorrent({ torrentUrl: there }, torrent);
    const out = path.join(folder, "got");
    execFileSync(EVERSEED, ["get", torrent, "-o", out, "--quiet", "--json"], {
      stdio: "pipe",
      timeout: 120_000,
    });
    const got = path.join(out, path.basename(content));
    assert.equal(spawnSync("diff", ["-r", content, got]).status, 0);
    // The earlier token is valid, and what came after the copy is new.
    fs.copyFileSync(path.join(folder, "token"), path.join(other, "token"));
    publish(other, path.join(folder, "later.bin"), restored);
  },
);

function diskBlocks(folder: string): string {
  return execFileSync("du", ["-s", folder], { encoding: "utf8" }).split("\t")[0]!;
}

test(
  "systemd accepts the unit of the manual, and the service stops as the manual says",
  { skip: skipUnless(program("systemd-analyze")) },
  async (t) => {
    const folder = temporaryFolder(t);
    const unit = path.join(folder, "everseed.service");
    const text = put(block("ini"), { "/opt/everseed/bin/everseed": EVERSEED });
    fs.writeFileSync(unit, text.replace(/^(User|Group)=.*\n/gm, ""));
    const judged = spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" });
    assert.equal(judged.stderr.trim(), "");
    assert.equal(judged.status, 0);
    const hub = await startHub(t, folder);
    hub.running.child.kill("SIGTERM");
    const clean = ["0", /^SuccessExitStatus=(\d+)$/m.exec(text)?.[1]];
    assert.ok(clean.includes(String(await hub.running.exitCode)), "systemd would call it failed");
  },
);
