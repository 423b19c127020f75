import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { everseed, EverseedProcess, LAUNCHER, temporaryFolder } from "./everseed-process.ts";
import { startSeed, talks } from "./talks.ts";

interface Refusal {
  readonly name: string;
  /** Creates the files of the case; returns the arguments. */
  readonly prepare: (folder: string, context: TestContext) => Promise<readonly string[]>;
  readonly exit: number;
  readonly message: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    name: "a web page saved as .torrent",
    prepare: async (folder) => {
      await writeFile(join(folder, "x.torrent"), "<!doctype html><p>Please log in</p>");
      return ["get", "x.torrent"];
    },
    exit: 7,
    message:
      /^everseed: x\.torrent is not a torrent: it looks like a web page \(starts with "<!doctype"\)\.\n {2}Try: download it again while logged in, or use the magnet link\.\n$/,
  },
  {
    name: "a compressed torrent",
    prepare: async (folder) => {
      await writeFile(join(folder, "x.torrent"), gzipSync("d4:infode"));
      return ["show", "x.torrent"];
    },
    exit: 7,
    message:
      /x\.torrent is not a torrent: this is a compressed file \(gzip\)\.\n {2}Try: unpack it/,
  },
  {
    name: "a truncated torrent",
    prepare: async (folder, context) => {
      const { folder: other } = await talks(context);
      const bytes = await readFile(join(other, "talks.torrent"));
      await writeFile(join(folder, "x.torrent"), bytes.subarray(0, bytes.length / 2));
      return ["check", "x.torrent", "."];
    },
    exit: 7,
    message: /x\.torrent is not a torrent: damaged.*\n {2}Try: download it again/,
  },
  {
    name: "an empty torrent",
    prepare: async (folder) => {
      await writeFile(join(folder, "x.torrent"), "");
      return ["show", "x.torrent"];
    },
    exit: 7,
    message: /the file is empty/,
  },
  {
    name: "a folder for a torrent",
    prepare: async () => ["show", "."],
    exit: 7,
    message: /it is a folder.*\n {2}Try: everseed create/,
  },
  {
    name: "a torrent that is not there",
    prepare: async () => ["show", "none.torrent"],
    exit: 3,
    message: /Cannot read none\.torrent\. No file or folder has that name\./,
  },
  {
    name: "a magnet link cut by the shell",
    prepare: async () => ["get", "magnet:?dn=x"],
    exit: 7,
    message: /not a usable magnet link.*\n {2}Try: copy the whole link again, and put it in quotes/,
  },
  {
    name: "a magnet link with a wrong digit",
    prepare: async () => ["get", `magnet:?xt=urn:btih:${"0".repeat(39)}g&dn=x`],
    exit: 7,
    message:
      /not a usable magnet link.*\n {2}Try: copy the whole link again: letters of its infohash are wrong/,
  },
  {
    name: "an unreachable hub",
    prepare: async () => ["get", "http://127.0.0.1:9/t/k3f9/talks"],
    exit: 6,
    message: /^everseed: http:\/\/127\.0\.0\.1:9\/t\/k3f9\/talks cannot be fetched\..*\n {2}Try: /,
  },
  {
    name: "a file in the place of the download folder",
    prepare: async (folder, context) => {
      const { folder: other } = await talks(context);
      await writeFile(join(folder, "file"), "");
      return ["get", join(other, "talks.torrent"), "-o", "file/below"];
    },
    exit: 3,
    message: /Cannot write to file\/below\. A part of the path is a file, not a folder\./,
  },
  {
    name: "a torrent that already exists",
    prepare: async (folder) => {
      await writeFile(join(folder, "content"), "x");
      await writeFile(join(folder, "content.torrent"), "mine");
      return ["create", "content"];
    },
    exit: 4,
    message: /content\.torrent already exists\..*\n {2}Try: another name with -o, or --force/,
  },
  {
    name: "an empty folder",
    prepare: async (folder) => {
      await mkdir(join(folder, "void"));
      return ["create", "void"];
    },
    exit: 2,
    message: /void holds no file/,
  },
  {
    name: "a tracker that is none",
    prepare: async (folder) => {
      await writeFile(join(folder, "content"), "x");
      return ["create", "content", "--tracker", "gopher://x"];
    },
    exit: 2,
    message: /"gopher:\/\/x" is not a URL that works here/,
  },
  {
    name: "a folder that is missing for the torrent file",
    prepare: async (folder) => {
      await writeFile(join(folder, "content"), "x");
      return ["create", "content", "-o", "no/such/x.torrent"];
    },
    exit: 3,
    message: /Cannot write no\/such\/x\.torrent/,
  },
  {
    name: "content that is missing for seeding",
    prepare: async (folder, context) => {
      const { folder: other } = await talks(context);
      return ["seed", join(other, "talks.torrent"), "--data", folder];
    },
    exit: 3,
    message: /talks\/.* is missing\. Only whole torrents are seeded\.\n {2}Try: everseed get/,
  },
  {
    name: "a port that is taken",
    prepare: async (_folder, context) => {
      const { folder: other } = await talks(context);
      const args = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
      const first = new EverseedProcess(context, args, { cwd: other });
      const listen = `127.0.0.1:${await first.port()}`;
      return ["seed", join(other, "talks.torrent"), "--data", other, "--listen", listen];
    },
    exit: 4,
    message: /Port \d+ is in use by another program\.\n {2}Try: another port with /,
  },
  {
    name: "a word that is no command",
    prepare: async () => ["creat"],
    exit: 2,
    message:
      /Unknown command "creat"\. Usage: everseed.*\n {2}Try: everseed create, if that was meant/,
  },
  {
    name: "an option that is none",
    prepare: async () => ["create", "x", "--trakcer", "y"],
    exit: 2,
    message:
      /Unknown option "--trakcer"\..*\n {2}Try: --tracker, if that was meant, or everseed create --help/,
  },
  {
    name: "a piece size that is none",
    prepare: async () => ["create", "x", "--piece-size", "3M"],
    exit: 2,
    message:
      /^everseed: "3M" is no value for --piece-size\. It takes auto, or a power of two from 16K to 256M\. Usage: everseed create/,
  },
  {
    name: "a torrent without a name",
    prepare: async () => ["get", ""],
    exit: 2,
    message: /An empty word is no value for <torrent>\.[^\n]*\n {2}Try: /,
  },
  {
    name: "a URL that is none",
    prepare: async () => ["show", "https://"],
    exit: 2,
    message: /^everseed: https:\/\/ is not a URL\.\n {2}Try: /,
  },
  {
    name: "a folder that no file system makes",
    prepare: async () => ["hub", "start", "--data", "/proc/no/folder"],
    exit: 3,
    message: /Cannot write to \/proc\/no\/folder\. No file or folder has that name\./,
  },
  {
    name: "a name that no disk takes (STO-12)",
    prepare: async (folder) => {
      await writeFile(join(folder, "content"), "x");
      return ["create", "content", "-o", `${"n".repeat(300)}.torrent`];
    },
    exit: 2,
    message:
      /^everseed: Cannot write n{300}\.torrent\. The name is too long for the disk\.\n {2}Try: a shorter one: disks take 255 bytes/,
  },
  {
    name: "a torrent under a name that no disk takes (STO-12)",
    prepare: async () => ["show", "n".repeat(300)],
    exit: 3,
    message: /^everseed: Cannot read n{300}\. The name is too long for the disk\.\n {2}Try: /,
  },
  {
    name: "a folder under a name that no disk takes (STO-12)",
    prepare: async (_folder, context) => {
      const { folder: other } = await talks(context);
      return ["get", join(other, "talks.torrent"), "-o", `new/${"n".repeat(300)}`];
    },
    exit: 2,
    message:
      /^everseed: Cannot write to new\/n{300}\. The name is too long for the disk\.\n {2}Try: /,
  },
  {
    name: "nothing at all",
    prepare: async () => [],
    exit: 2,
    message: /Usage: everseed/,
  },
];

for (const { name, prepare, exit, message } of refusals) {
  test(`one clear error for ${name}`, async (context) => {
    const folder = temporaryFolder(context);
    const args = await prepare(folder, context);
    const plain = await everseed(context, args, { cwd: folder });
    assert.match(plain.stderr, message);
    assert.equal(plain.exit, exit, plain.stderr);
    assert.equal(plain.stdout, "");
    assert.doesNotMatch(plain.stderr, /^\s+at /m, "no stack trace");
    if (args.length === 0) return;
    const json = await everseed(context, [...args, "--json"], { cwd: folder });
    assert.equal(json.exit, exit);
    const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string } };
    assert.match(error.code, /^[a-z_]+$/);
    assert.ok(error.message.length > 0);
  });
}

/** Runs the shell script with its arguments in a namespace where it may mount. */
function mounting(script: string, ...args: string[]) {
  const options = { encoding: "utf8", timeout: 60_000 } as const;
  return spawnSync("unshare", ["-rm", "sh", "-c", script, "sh", ...args], options);
}

const mayMount = mounting("mount -t tmpfs tmpfs /mnt").status === 0;
const skip = !mayMount && "this system does not let a user mount in a namespace";

test(
  "STO-9: a download that does not fit on the disk is refused before it begins",
  { skip },
  async (context) => {
    const { folder, created } = await talks(context);
    const { seed, peer } = await startSeed(context, folder);
    const script =
      'mount -t tmpfs -o size=1m tmpfs /mnt; "$1" get "$2" -o /mnt/new; echo exit $?; ls -A /mnt; ' +
      '"$1" get "$3" -o /mnt --peer "$4" --listen 127.0.0.1:0; echo exit $?; ' +
      '"$1" get "$2" -o /mnt --select "*.pdf" --peer "$4" --listen 127.0.0.1:0; echo exit $?';
    const torrent = join(folder, "talks.torrent");
    const args = [LAUNCHER, torrent, String(created["magnet"]), peer];
    const { stdout, stderr } = mounting(script, ...args);
    const more = String.raw`Disk full: need 2\.0 MiB more on `;
    const hint = String.raw`\.\n {2}Try: free space, choose another disk with -o, or fewer files with`;
    assert.match(stderr, new RegExp(`^everseed: talks does not fit\\. ${more}/mnt/new${hint}`));
    assert.match(stderr, new RegExp(`^everseed: talks does not fit\\. ${more}/mnt${hint}`, "m"));
    assert.match(stdout, /^exit 8\nexit 8\nDone in .*\nexit 0\n$/);
    seed.child.kill("SIGINT");
  },
);

test(
  "STO-4: a full disk ends with 8 and the message says how much is missing; fetched data stays",
  { skip },
  async (context) => {
    const { folder } = await talks(context);
    const { peer } = await startSeed(context, folder);
    const script =
      'mount -t tmpfs -o size=4m tmpfs /mnt; "$1" get "$2" -o /mnt --peer "$3" --down 500K ' +
      "--listen 127.0.0.1:0 --json > /mnt/out & " +
      // Another program fills the disk as soon as pieces arrive.
      "until grep -q doneBytes.:[1-9] /mnt/out; do sleep 0.1; done; " +
      "cat /dev/zero > /mnt/fill 2> /dev/null; wait $!; echo exit $?; " +
      'rm /mnt/fill; "$1" get "$2" -o /mnt --peer "$3" --listen 127.0.0.1:0; echo exit $?';
    const { stdout, stderr } = mounting(script, LAUNCHER, join(folder, "talks.torrent"), peer);
    const told = /^\{"error".*$/m.exec(stderr)?.[0];
    assert.ok(told, stderr);
    const { error } = JSON.parse(told) as { error: Record<string, string> };
    assert.equal(error["code"], "disk_full");
    assert.match(
      error["message"]!,
      /^Cannot write to \/mnt\. Disk full: need [\d.]+ [KM]iB more on \/mnt\.$/,
    );
    assert.match(error["hint"]!, /^free space and start again: what is there already is kept\.$/);
    assert.match(stdout, /^exit 8\nDone in .*\nexit 0\n$/);
  },
);

test("a read-only disk ends with 8", { skip }, async (context) => {
  const { folder } = await talks(context);
  const script =
    'mount -t tmpfs -o ro tmpfs /mnt; "$1" get "$2" -o /mnt/new; echo exit $?; ' +
    '"$1" create "$3" -o /mnt/x.torrent; echo exit $?';
  const torrent = join(folder, "talks.torrent");
  const { stdout, stderr } = mounting(script, LAUNCHER, torrent, join(folder, "talks"));
  assert.match(stderr, /Cannot write to \/mnt\/new\. The disk is read-only\./);
  assert.match(stderr, /Cannot write \/mnt\/x\.torrent\. The disk is read-only\./);
  assert.equal(stdout, "exit 8\nexit 8\n");
});
