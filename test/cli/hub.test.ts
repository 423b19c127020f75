import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PASSWORD = "a harbour full of fog";
/** The system chooses the ports, so that hubs of other tests do not interfere. */
const PORTS = {
  EVERSEED_ENGINE_PORT: "0",
  EVERSEED_TRACKER_UDP_PORT: "0",
  XDG_DATA_HOME: "/nowhere",
};

/** A folder with an administrator in `data` and a token in `token`. */
async function initialised(context: TestContext): Promise<string> {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "password"), `${PASSWORD}\n`, { mode: 0o600 });
  const args = ["--data", "data", "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, ["hub", "init", ...args, "--token-file", "token"], {
    cwd: folder,
  });
  assert.equal(made.exit, 0, made.stderr);
  assert.equal(made.stderr, "");
  return folder;
}

function startHub(context: TestContext, folder: string, ...args: string[]): EverseedProcess {
  const words = ["hub", "start", "--data", "data", "--port", "0", "--json", ...args];
  return new EverseedProcess(context, words, { cwd: folder, env: PORTS });
}

test("CLI-3: only the owner can read what a hub creates, whatever the umask", async (context) => {
  const folder = await initialised(context);
  const hub = startHub(context, folder);
  await hub.port();
  hub.child.kill("SIGTERM");
  assert.equal((await hub.finished).exit, 0, "a hub ends by a signal");
  assert.equal((await stat(join(folder, "token"))).mode & 0o777, 0o600);
  for (const name of await readdir(join(folder, "data"), { recursive: true })) {
    const facts = await stat(join(folder, "data", name));
    assert.equal(facts.mode & 0o077, 0, name);
  }
  const template = await readFile(join(folder, "data/everseed.yaml"), "utf8");
  assert.match(template, /^#port: 8420$/m);
});

test("a new hub prints its address, the setup link, its data folder, and ready", async (context) => {
  const folder = temporaryFolder(context);
  const args = ["hub", "start", "--data", "data", "--port", "0"];
  const hub = new EverseedProcess(context, args, { cwd: folder, env: PORTS });
  await hub.waitFor(/^ready after \d+\.\d s/m);
  hub.child.kill("SIGINT");
  const { exit, stdout } = await hub.finished;
  assert.equal(exit, 0);
  assert.match(stdout, /^Web site {2}http:\/\/127\.0\.0\.1:\d+$/m);
  assert.match(stdout, /^Setup {5}Open http:\/\/127\.0\.0\.1:\d+\/setup#[0-9a-f]+$/m);
  assert.ok(stdout.includes(`Data      ${join(folder, "data")}`));
});

test("publish uploads a folder, which a new peer fetches from the everseed", async (context) => {
  const folder = await initialised(context);
  await mkdir(join(folder, "talks/slides"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), randomBytes(20_000_000));
  await writeFile(join(folder, "talks/slides/b.pdf"), randomBytes(100_000));
  await writeFile(join(folder, "talks/empty"), "");
  const hub = startHub(context, folder);
  const [, ready] = await hub.waitFor(/^(\{"event":"ready".*\})$/m);
  const { url, peerPort } = JSON.parse(ready!) as { url: string; peerPort: number };

  const args = ["publish", "talks", "--to", url, "--token-file", "token", "--json"];
  const published = await everseed(context, args, { cwd: folder });
  assert.equal(published.exit, 0, published.stderr);
  const torrent = JSON.parse(published.stdout) as Record<string, string>;
  assert.match(torrent["infohashV1"]!, /^[0-9a-f]{40}$/);
  assert.equal(torrent["infohashV2"], null, "every program reads it: v1");
  assert.match(torrent["magnet"]!, /^magnet:\?xt=urn:btih:/);

  const created = await everseed(context, ["create", "talks", "--json"], { cwd: folder });
  const ours = JSON.parse(created.stdout) as Record<string, string>;
  assert.equal(ours["infohashV1"], torrent["infohashV1"], "the same as everseed create");

  for (const source of [torrent["pageUrl"]!, torrent["torrentUrl"]!, torrent["magnet"]!]) {
    const copy = `copy-${source.slice(0, 6)}-${source.length}`;
    const peer = ["--peer", `127.0.0.1:${peerPort}`, "--listen", "127.0.0.1:0"];
    const got = await everseed(context, ["get", source, "-o", copy, ...peer], { cwd: folder });
    assert.equal(got.exit, 0, got.stderr);
    for (const file of ["a.bin", "slides/b.pdf", "empty"]) {
      const [theirs, mine] = await Promise.all([
        readFile(join(folder, copy, "talks", file)),
        readFile(join(folder, "talks", file)),
      ]);
      assert.ok(theirs.equals(mine), file);
    }
  }

  const again = await everseed(context, args, { cwd: folder });
  assert.equal(again.exit, 0, again.stderr);
  const known = JSON.parse(again.stdout) as Record<string, unknown>;
  assert.equal(known["pageUrl"], torrent["pageUrl"]);
  assert.deepEqual([torrent["existed"], known["existed"]], [false, true]);
  const words = await everseed(context, args.slice(0, -1), { cwd: folder });
  assert.match(words.stdout, /^Was here already {2}http:/);
});

test("publish --name sets the title exactly, and the file keeps its name", async (context) => {
  const folder = await initialised(context);
  const title = 'Tides: high & low? "2026"';
  const content = randomBytes(100_000);
  await writeFile(join(folder, "tides.mp4"), content);
  const hub = startHub(context, folder);
  const to = ["--to", `http://127.0.0.1:${await hub.port()}`, "--token-file", "token"];
  const words = ["publish", "tides.mp4", "--name", title, ...to];
  const said = await everseed(context, words, { cwd: folder });
  assert.equal(said.exit, 0, said.stderr);
  assert.ok(said.stderr.startsWith(`${title}: 1 file`), said.stderr);
  const published = await everseed(context, [...words, "--json"], { cwd: folder });
  const torrent = JSON.parse(published.stdout) as Record<string, string>;
  assert.equal(torrent["name"], title);
  assert.equal(new URL(torrent["magnet"]!).searchParams.get("dn"), title);
  const got = await everseed(
    context,
    ["get", torrent["magnet"]!, "-o", "copy", "--listen", "127.0.0.1:0"],
    { cwd: folder },
  );
  assert.equal(got.exit, 0, got.stderr);
  assert.deepEqual(await readdir(join(folder, "copy")), ["tides.mp4"]);
  assert.ok(content.equals(await readFile(join(folder, "copy/tides.mp4"))));
});

test("an upload resumes after the command and the hub were killed", async (context) => {
  const folder = await initialised(context);
  await writeFile(join(folder, "big"), randomBytes(96_000_000));
  let hub = startHub(context, folder);
  const port = String(await hub.port());
  const args = ["publish", "big", "--to", `http://127.0.0.1:${port}`, "--token-file", "token"];
  const first = new EverseedProcess(context, args, { cwd: folder });
  await hub.waitFor(/"event":"stats"/);
  first.child.kill("SIGKILL");
  hub.child.kill("SIGKILL");
  await Promise.all([first.finished, hub.finished]);

  const env = { ...PORTS, EVERSEED_PORT: port };
  const words = ["hub", "start", "--data", "data", "--json"];
  hub = new EverseedProcess(context, words, { cwd: folder, env });
  await hub.port();
  const second = await everseed(context, [...args, "--json"], { cwd: folder });
  assert.equal(second.exit, 0, second.stderr);
  const shown = await everseed(
    context,
    ["show", (JSON.parse(second.stdout) as { torrentUrl: string }).torrentUrl, "--json"],
    { cwd: folder },
  );
  const created = await everseed(context, ["create", "big", "--json"], { cwd: folder });
  const infohash = (text: string) => (JSON.parse(text) as { infohashV1: string }).infohashV1;
  assert.equal(infohash(shown.stdout), infohash(created.stdout));
});

interface Refusal {
  readonly name: string;
  readonly prepare: (
    folder: string,
    context: TestContext,
  ) => Promise<{ args: readonly string[]; env?: Record<string, string> }>;
  readonly exit: number;
  readonly message: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    name: "a second hub on the same data",
    prepare: async (folder, context) => {
      await startHub(context, folder).port();
      return { args: ["hub", "start", "--data", "data", "--port", "0"] };
    },
    exit: 4,
    message: /^everseed: Another hub uses .*data.*\n {2}Try: stop that one first/,
  },
  {
    name: "the port of another hub",
    prepare: async (folder, context) => {
      const port = await startHub(context, folder).port();
      return { args: ["hub", "start", "--data", "other", "--port", String(port)] };
    },
    exit: 4,
    message: /^everseed: Port \d+ is in use by another program\.\n {2}Try: another port with /,
  },
  {
    name: "a config file with a wrong key",
    prepare: async (folder) => {
      await writeFile(join(folder, "data/everseed.yaml"), "host: 127.0.0.1\n\nprot: 80\n");
      return { args: ["hub", "start", "--data", "data"] };
    },
    exit: 2,
    message:
      /^everseed: data\/everseed\.yaml line 3 has an unknown key "prot"\.\n {2}Try: write "port" if that was meant\. Known here: dataDir, /,
  },
  {
    name: "a config file with a wrong value",
    prepare: async (folder) => {
      await writeFile(join(folder, "own.yaml"), "tracker:\n  udpPort: http\n");
      return { args: ["hub", "start", "--data", "data", "--config", "own.yaml"] };
    },
    exit: 2,
    message:
      /^everseed: own\.yaml line 2 has a wrong value for "tracker\.udpPort"\. It takes a whole/,
  },
  {
    name: "a config file that is not there",
    prepare: async () => ({ args: ["hub", "start", "--data", "data", "--config", "none.yaml"] }),
    exit: 3,
    message: /^everseed: Cannot read none\.yaml\. There is no such file\./,
  },
  {
    name: "a wrong variable",
    prepare: async () => ({
      args: ["hub", "start", "--data", "data"],
      env: { EVERSEED_LOG_LEVEL: "loud" },
    }),
    exit: 2,
    message:
      /^everseed: EVERSEED_LOG_LEVEL has a wrong value for "log\.level"\. It takes debug, info/,
  },
  {
    name: "a variable that is no setting",
    prepare: async () => ({
      args: ["hub", "start", "--data", "data", "--port", "0"],
      env: { EVERSEED_PROT: "1" },
    }),
    exit: 2,
    message:
      /^everseed: The variable EVERSEED_PROT is no setting\.\n {2}Try: write EVERSEED_PORT if that was meant\. Known are EVERSEED_DATA_DIR, /,
  },
  {
    name: "an address that is not ours",
    prepare: async () => ({
      args: ["hub", "start", "--data", "data", "--host", "192.0.2.1", "--port", "0"],
    }),
    exit: 3,
    message: /^everseed: 192\.0\.2\.1 is not an address of this machine\./,
  },
  {
    name: "a data folder that is a file",
    prepare: async (folder) => {
      await writeFile(join(folder, "file"), "");
      return { args: ["hub", "start", "--data", "file", "--port", "0"] };
    },
    exit: 8,
    message: /^everseed: Cannot write to .*file\./,
  },
  {
    name: "a data folder that no file system makes (STO-12)",
    prepare: async () => ({
      args: ["hub", "start", "--data", "/proc/1/no/folder", "--port", "0"],
    }),
    exit: 3,
    message: /^everseed: Cannot write to \/proc\/1\/no\/folder\. No file or folder has that name\./,
  },
  {
    name: "a second administrator",
    prepare: async () => ({
      args: ["hub", "init", "--data", "data", "--admin", "eve", "--password-file", "password"],
    }),
    exit: 4,
    message: /^everseed: .*administrator.*\n {2}Try: /,
  },
  {
    name: "a password file that is not there",
    prepare: async () => ({
      args: ["hub", "init", "--data", "new", "--admin", "ann", "--password-file", "none"],
    }),
    exit: 3,
    message: /^everseed: Cannot read none\./,
  },
  {
    name: "a password that is too short",
    prepare: async (folder) => {
      await writeFile(join(folder, "short"), "1234", { mode: 0o600 });
      return {
        args: ["hub", "init", "--data", "new", "--admin", "ann", "--password-file", "short"],
      };
    },
    exit: 2,
    message: /^everseed: .*10/,
  },
  {
    name: "a token file that already exists",
    prepare: async () => {
      const init = [
        "hub",
        "init",
        "--data",
        "new",
        "--admin",
        "ann",
        "--password-file",
        "password",
      ];
      return { args: [...init, "--token-file", "token"] };
    },
    exit: 4,
    message: /^everseed: token already exists\./,
  },
  {
    name: "an unreachable hub",
    prepare: async () => ({
      args: ["publish", "password", "--to", "http://127.0.0.1:2", "--token-file", "token"],
    }),
    exit: 6,
    message:
      /^everseed: The hub at http:\/\/127\.0\.0\.1:2 does not answer\. No program listens there\./m,
  },
  {
    name: "a wrong token",
    prepare: async (folder, context) => {
      const port = await startHub(context, folder).port();
      await writeFile(join(folder, "wrong"), "evs_wrong", { mode: 0o600 });
      const to = `http://127.0.0.1:${port}`;
      return { args: ["publish", "password", "--to", to, "--token-file", "wrong"] };
    },
    exit: 5,
    message: /^everseed: .*\n {2}Try: /m,
  },
];

for (const { name, prepare, exit, message } of refusals) {
  test(`one clear error for ${name}`, async (context) => {
    const folder = await initialised(context);
    const { args, env } = await prepare(folder, context);
    const refused = await everseed(context, args, { cwd: folder, env: { ...PORTS, ...env } });
    assert.match(refused.stderr, message);
    assert.equal(refused.exit, exit, refused.stderr);
    assert.equal(refused.stdout, "");
    assert.doesNotMatch(refused.stderr, /^\s+at /m, "no stack trace");
  });
}

test("CLI-3: a token that others can read causes a warning", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "token"), "secret-token", { mode: 0o644 });
  await writeFile(join(folder, "file"), "x");
  const args = ["publish", "file", "--to", "http://127.0.0.1:2", "--token-file", "token"];
  const { stderr } = await everseed(context, args, { cwd: folder });
  assert.match(stderr, /^warning: others on this machine can read token: chmod 600 stops that$/m);
  assert.ok(!stderr.includes("secret-token"));
});
