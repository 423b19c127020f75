import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import { type Needed, program, skipUnless } from "./foreign-peers.ts";
import { EVERSEED, Running, until } from "./process.ts";

// Transmission's RPC of a node, by programs of others: Debian's transmission-remote, a client in Python, and requests as
// Sonarr and Radarr send them. One node serves all of them.

const USER = "ann";
const PASSWORD = "correct horse battery";
const SCRIPT = path.join(import.meta.dirname, "transmission-client.py");
const SIZE = 300_000;

const scripted: Needed = {
  missing: () =>
    spawnSync("/usr/bin/python3", ["-c", "import transmissionrpc"]).status === 0
      ? undefined
      : "python3-transmissionrpc is not installed (tools/peers.sh installs it)",
};

interface Node {
  readonly folder: string;
  readonly port: number;
}

/** A node with an account, and Transmission's RPC. */
async function startNode(t: TestContext): Promise<Node> {
  const folder = temporaryFolder(t);
  const home = path.join(folder, "home");
  const secret = path.join(folder, "password");
  fs.writeFileSync(secret, `${PASSWORD}\n`, { mode: 0o600 });
  const data = path.join(home, "state");
  execFileSync(
    EVERSEED,
    ["hub", "init", "--data", data, "--admin", USER, "--password-file", secret],
    { stdio: "pipe" },
  );
  const running = new Running(t, [EVERSEED, "daemon", "start", "--foreground", "--json"], {
    EVERSEED_HOME: home,
    EVERSEED_PORT: "0",
    EVERSEED_ENGINE_HOST: "127.0.0.1",
    EVERSEED_ENGINE_PORT: "0",
    EVERSEED_DISCOVERY_DHT: "false",
    EVERSEED_ROUTER_MAP_PORTS: "false",
    EVERSEED_SERVICES_TRANSMISSION_RPC: "true",
    EVERSEED_TRANSFERS_FOLDER: path.join(folder, "downloads"),
  });
  return { folder, port: Number((await running.event("ready"))["webPort"]) };
}

/** A torrent of a folder with three files, which are there. */
function makeContent(folder: string, name: string): string {
  const place = path.join(folder, name);
  fs.mkdirSync(place);
  for (const file of ["a.mkv", "b.srt", "c.txt"]) {
    fs.writeFileSync(path.join(place, file), randomBytes(SIZE));
  }
  const { torrent } = createTorrent(place, path.join(folder, `${name}.torrent`), [
    "--kind",
    "v1",
    "--tracker",
    "http://127.0.0.1:9/announce",
  ]);
  return torrent;
}

class Remote {
  readonly #port: number;

  constructor({ port }: Node) {
    this.#port = port;
  }

  async run(...args: readonly string[]): Promise<string> {
    const given = [`127.0.0.1:${this.#port}`, "--auth", `${USER}:${PASSWORD}`, ...args];
    const child = spawn("transmission-remote", given, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => void (output += chunk.toString()));
    }
    const code = await new Promise((resolve) => child.once("close", resolve));
    return `${output}exit ${String(code)}\n`;
  }

  /** Runs a command that the node accepts. */
  async done(...args: readonly string[]): Promise<void> {
    assert.match(
      await this.run(...args),
      /responded: "success"\n(?:.*\n)*exit 0\n$/,
      args.join(" "),
    );
  }

  /** Runs a command whose output has each of these. */
  async shows(args: readonly string[], ...patterns: readonly RegExp[]): Promise<void> {
    const output = await this.run(...args);
    for (const pattern of patterns) assert.match(output, pattern, args.join(" "));
    assert.match(output, /exit 0\n$/, args.join(" "));
  }
}

void suite("Transmission's RPC", () => {
  let node: Node;

  void test(
    "transmission-remote adds, lists, changes, moves and removes",
    {
      skip: skipUnless(program("transmission-remote")),
    },
    async (t) => {
      node = await startNode(t);
      const remote = new Remote(node);
      const { folder } = node;
      const film = makeContent(folder, "film");
      const talk = makeContent(folder, "talk");
      const moved = path.join(folder, "moved");
      const one = ["-t", "1"];
      await remote.done("-a", film, "-w", folder);
      await remote.done("--start-paused");
      await remote.done("-a", talk, "-w", folder);
      await remote.done("--no-start-paused");
      await until("it seeds", async () => /100% .* Idle +film/.test(await remote.run("-l")));
      await remote.shows(["-l"], /^ +1\*? +100% +900\.0 kB .* film$/m, /^ +2 .* Stopped +talk$/m);
      await remote.shows(
        [...one, "-i"],
        /Name: film/,
        /State: Idle/,
        /Percent Done: 100%/,
        /Piece Count: 55/,
      );
      await remote.shows([...one, "-f"], /film \(3 files\)/, /0: 100% Normal +Yes .* film\/a\.mkv/);
      await remote.shows([...one, "-if"], /film\/c\.txt/);
      await remote.shows([...one, "-ip"], /^Address +Flags/m);
      await remote.shows(
        [...one, "-it"],
        /Tracker 0: http:\/\/127\.0\.0\.1:9/,
        /Got an error "no reply/,
      );
      await remote.shows([...one, "-ic"], /1111 ?/);
      await remote.shows(
        ["-si"],
        /Daemon version: 4\.0\.6 \(Everseed/,
        /RPC version: 17/,
        /Peer limit: 500/,
      );
      await remote.shows(["-st"], /Started 1 times/);

      for (const args of [["-S"], ["-s"], ["--reannounce"], ["-v"]])
        await remote.done(...one, ...args);
      await until("verified", async () => /100% .* Idle +film/.test(await remote.run("-l")));
      await remote.done(...one, "-d", "120", "-u", "80", "-sr", "2.5");
      await remote.shows(
        [...one, "-i"],
        /Download Limit: 120 kB\/s/,
        /Upload Limit: 80 kB\/s/,
        /Ratio Limit: 2\.5/,
      );
      await remote.done(...one, "-D", "-U", "-SR");
      await remote.shows([...one, "-i"], /Download Limit: Unlimited/, /Ratio Limit: Unlimited/);
      await remote.done(...one, "-L", "films");
      await remote.shows([...one, "-i"], /Labels: films/);
      await remote.done(...one, "-td", "udp://127.0.0.1:9/announce");
      await remote.shows([...one, "-it"], /Tracker 1: udp:\/\/127\.0\.0\.1:9/);
      await remote.done(...one, "-tr", "1");

      await remote.done("-t", "2", "-G", "1,2", "-ph", "0");
      await remote.shows(["-t", "2", "-f"], /0: .* High +Yes/, /1: .* No .*b\.srt/);
      await remote.done("-t", "2", "-g", "all", "-pl", "1");
      await remote.shows(["-t", "2", "-f"], /1: .* Low +Yes .*b\.srt/);

      await remote.done("-as", "-asd", "50", "-asu", "40", "-asc", "--alt-speed-days", "2-6");
      await remote.shows(
        ["-si"],
        /Enabled turtle limit: 40 kB\/s/,
        /Turtle schedule: .* Tue Wed Thu Fri Sat/,
      );
      await remote.done("-AS", "-ASC", "-D", "-U");
      await remote.done("-gsr", "3", "-y", "-er");
      assert.match(await remote.run("-o"), /an environment variable gives it/);
      await remote.shows(["-si"], /Default seed ratio limit: 3/, /Encryption: required/);
      assert.match(await remote.run("-p", "1"), /engine\.port/);
      assert.match(await remote.run("-pt"), /not known to be open/);
      assert.match(await remote.run("-a", "/etc/passwd"), /This is no torrent/);
      assert.match(await remote.run("--exit"), /daemon stop/);

      await remote.done(...one, "--move", moved);
      await until("it has moved", () => fs.existsSync(path.join(moved, "film", "c.txt")));
      await until("it seeds there", async () => /Idle +film/.test(await remote.run("-l")));
      await remote.done("-t", "2", "--find", folder);
      await remote.done("-t", "2", "-r");
      assert.ok(fs.existsSync(path.join(folder, "talk", "a.mkv")));
      await remote.done(...one, "-rad");
      assert.ok(!fs.existsSync(path.join(moved, "film")));
      await remote.shows(["-l"], /^Sum: +None/m);

      await t.test("the client in Python", { skip: skipUnless(scripted) }, async () => {
        const there = path.join(folder, "there");
        const client = new Running(t, [
          "/usr/bin/python3",
          SCRIPT,
          String(node.port),
          USER,
          PASSWORD,
          talk,
          folder,
          there,
        ]);
        const told = await client.event("done");
        assert.deepEqual([told["files"], told["left"]], [3, []]);
        assert.match(String(told["refusal"]), /No files of this node's machine/);
        assert.ok(fs.existsSync(path.join(there, "talk", "b.srt")));
      });

      await t.test("requests as Sonarr sends them", () => asSonarr(node, film));
    },
  );
});

/** The life of a download in the eyes of Sonarr: the handshake by GET, its fields, and removal when seeding has ended. */
async function asSonarr({ folder, port }: Node, torrent: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/transmission/rpc`;
  const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;
  const first = await fetch(url, { headers: { authorization } });
  assert.equal(first.status, 409);
  const id = first.headers.get("x-transmission-session-id")!;
  const call = async (method: string, args?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { authorization, "x-transmission-session-id": id },
      body: JSON.stringify({ method, arguments: args }),
    });
    const { result, arguments: found } = (await answer.json()) as Record<string, unknown>;
    assert.equal(result, "success", method);
    return found as Record<string, unknown>;
  };
  const session = await call("session-get");
  // Sonarr wants 2.40 or later.
  assert.match(String(session["version"]), /^4\.0/);
  const added = await call("torrent-add", {
    metainfo: fs.readFileSync(torrent, "base64"),
    paused: true,
    "download-dir": `${folder}/tv`,
    labels: ["tv"],
  });
  const { hashString } = added["torrent-added"] as { hashString: string };
  await call("torrent-set", {
    ids: [hashString],
    seedRatioLimit: 1,
    seedRatioMode: 1,
    seedIdleLimit: 60,
    seedIdleMode: 1,
  });
  await call("queue-move-top", { ids: [hashString] });
  const fields =
    "id hashString name downloadDir totalSize leftUntilDone isFinished eta status errorString labels file-count seedRatioLimit seedRatioMode seedIdleLimit seedIdleMode secondsSeeding secondsDownloading uploadedEver downloadedEver";
  const look = async (): Promise<Record<string, unknown>> => {
    const { torrents } = await call("torrent-get", { fields: fields.split(" ") });
    return (torrents as Record<string, unknown>[])[0]!;
  };
  const { secondsDownloading, id: number, ...rest } = await look();
  assert.ok(Number(secondsDownloading) >= 0 && Number(number) > 0);
  assert.deepEqual(rest, {
    hashString,
    name: "film",
    downloadDir: `${folder}/tv`,
    totalSize: 3 * SIZE,
    leftUntilDone: 3 * SIZE,
    isFinished: false,
    eta: -1,
    status: 0,
    errorString: "",
    labels: ["tv"],
    "file-count": 3,
    seedRatioLimit: 1,
    seedRatioMode: 1,
    seedIdleLimit: 60,
    seedIdleMode: 1,
    secondsSeeding: 0,
    uploadedEver: 0,
    downloadedEver: 0,
  });
  await call("torrent-remove", { "delete-local-data": true, ids: [hashString] });
  const { torrents } = await call("torrent-get", { fields: ["id"] });
  assert.deepEqual(torrents, []);
}
