import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { NodeFiles } from "../../src/platform/node-files.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { createTorrent } from "../../src/commands/create-torrent.ts";
import type { Listing } from "../../src/publish/catalogue.ts";
import { inPlaceFiles } from "../../src/publish/in-place-files.ts";
import { inPlacePorts } from "../../src/daemon/in-place-ports.ts";
import { PublishError } from "../../src/publish/publish-error.ts";
import { InPlaceInbox } from "../../src/commands/in-place-inbox.ts";

interface World {
  readonly dataDir: string;
  readonly inbox: InPlaceInbox;
  /** Content folders that were adopted. */
  readonly adopted: string[];
  /** Versions of publications, by their torrents. */
  readonly versions: (readonly [id: string, sequence: bigint])[];
  owner: string | undefined;
  refusal: Error | undefined;
  /** The timer that runs. */
  fire: (() => void) | undefined;
}

const LISTING: Listing = {
  id: "",
  name: "Talks",
  size: 3,
  fileCount: 1,
  kind: "v1",
  folder: true,
  private: false,
  infohashes: { v1: new Uint8Array(20).fill(0xab), v2: undefined },
  pieceSize: 16_384,
  pieceCount: 1,
  comment: null,
  publisher: "ann",
  publisherId: "ann",
  publishedMs: 1,
  checkedMs: 1,
  namedTrackers: [],
};

function worldFor(context: TestContext): World {
  const dataDir = join(temporaryFolder(context, "everseed-inbox-"), "data");
  const files = new NodeFiles(dataDir);
  const world: World = {
    dataDir,
    adopted: [],
    versions: [],
    owner: "ann",
    refusal: undefined,
    fire: undefined,
    inbox: new InPlaceInbox({
      dataDir,
      files,
      adoption: {
        adoptInPlace: async (_, { id, contentRoot }) => {
          if (world.refusal) throw world.refusal;
          world.adopted.push(contentRoot);
          return id;
        },
      },
      versions: {
        accept: async (id, { sequence }) => {
          if (sequence === 0n) throw new PublishError("older-version", "There is a newer one.");
          world.versions.push([id, sequence]);
        },
      },
      ownerId: async () => world.owner,
      catalogue: { find: async (id) => ({ ...LISTING, id }) },
      siteUrl: "http://hub.test",
      trackers: ["http://hub.test/announce"],
      paths: new NodeUserFiles(),
      clock: {
        startTimer: (delayMs, fire) => {
          assert.equal(delayMs, 1_000);
          world.fire = fire;
          return { cancel: () => (world.fire = undefined) };
        },
      },
      random: new NodeRandom(),
      log: SILENT_LOG,
    }),
  };
  return world;
}

/** Leaves a request as anybody could who writes to the data folder. */
async function request(
  { dataDir }: World,
  path: string,
  words: Readonly<Record<string, unknown>> = {},
): Promise<() => Promise<Record<string, unknown>>> {
  const places = inPlaceFiles(dataDir, "0a");
  await mkdir(places.folder, { recursive: true });
  // The torrent is made of the same names elsewhere: what the command refuses, the hub has to refuse too.
  const twin = join(dirname(dataDir), "twin", basename(path));
  await mkdir(join(twin, "data/keys"), { recursive: true });
  await writeFile(join(twin, "data/keys/session"), "secret");
  await createTorrent(inPlacePorts(), {
    path: twin,
    file: places.torrent,
    overwrite: true,
    kind: "v1",
    pieceLength: "auto",
    dated: false,
    onEvent: () => undefined,
    signal: AbortSignal.timeout(60_000),
  });
  await writeFile(
    places.request,
    JSON.stringify({ root: dirname(path), checkedAt: 1, stamp: null, ...words }),
  );
  return async () => JSON.parse(await readFile(places.answer, "utf8")) as Record<string, unknown>;
}

async function makeHub({ dataDir }: World): Promise<void> {
  await mkdir(join(dataDir, "keys"), { recursive: true });
  await writeFile(join(dataDir, "everseed.db"), "");
  await writeFile(join(dataDir, "keys/session"), "secret");
}

for (const [what, path] of [
  ["the data folder", (data: string) => data],
  ["what lies in it", (data: string) => join(data, "keys")],
  ["what holds it", (data: string) => dirname(data)],
  ["a link to it", (data: string) => join(dirname(data), "link")],
] as const) {
  test(`a hub refuses to publish ${what} in place, whatever the request says`, async (context) => {
    const world = worldFor(context);
    await makeHub(world);
    await symlink("data", join(dirname(world.dataDir), "link"));
    const answer = await request(world, path(world.dataDir));
    await world.inbox.look();
    assert.match(String((await answer())["problem"]), /data folder of a hub.*keys and passwords/);
    assert.deepEqual(world.adopted, []);
  });
}

test("what is published is answered with its title and addresses, and the request is gone", async (context) => {
  const world = worldFor(context);
  await makeHub(world);
  const content = join(dirname(world.dataDir), "c/talks");
  await mkdir(content, { recursive: true });
  const answer = await request(world, content);
  await world.inbox.look();
  const { torrentId, magnet, ...words } = await answer();
  const pageUrl = `http://hub.test/t/${String(torrentId)}/talks`;
  assert.deepEqual(words, { wasHere: false, title: "Talks", pageUrl });
  assert.match(String(magnet), /^magnet:\?xt=urn:btih:(ab){20}&.*tr=http.*announce.*ws=http.*seed/);
  const places = inPlaceFiles(world.dataDir, "0a");
  assert.ok(!existsSync(places.request) && !existsSync(places.torrent));
});

test("the inbox removes old answers, looks every second, and never again once it has stopped", async (context) => {
  const world = worldFor(context);
  await makeHub(world);
  const places = inPlaceFiles(world.dataDir, "0a");
  await mkdir(places.folder, { recursive: true });
  await writeFile(places.answer, "of an earlier run");
  await world.inbox.start();
  assert.equal(existsSync(places.answer), false);
  const content = join(dirname(world.dataDir), "c/talks");
  await mkdir(content, { recursive: true });
  await request(world, content);
  assert.deepEqual(world.adopted, []);
  world.fire!();
  await world.inbox.stop();
  assert.deepEqual(world.adopted, [dirname(content)], "stop waits for the look that has begun");
  assert.equal(world.fire, undefined);
});

test("a request waits for the administrator, says so once, and is taken in after the set-up", async (context) => {
  const world = worldFor(context);
  await makeHub(world);
  const content = join(dirname(world.dataDir), "c/talks");
  await mkdir(content, { recursive: true });
  world.owner = undefined;
  const answer = await request(world, content);
  await world.inbox.look();
  assert.deepEqual(await answer(), { waitsFor: "setup" });
  await world.inbox.look();
  const places = inPlaceFiles(world.dataDir, "0a");
  assert.ok(existsSync(places.request) && existsSync(places.torrent), "it is kept");
  assert.deepEqual(world.adopted, []);
  world.owner = "ann";
  await world.inbox.look();
  assert.deepEqual(world.adopted, [dirname(content)]);
  for (const path of [places.request, places.torrent, places.answer]) {
    assert.equal(existsSync(path), false, path);
  }
});

test("what a request says wrongly, and what the hub may not read, is told in words", async (context) => {
  const world = worldFor(context);
  await makeHub(world);
  const content = join(dirname(world.dataDir), "c/talks");
  await mkdir(content, { recursive: true });
  const words: [title: string, problem: RegExp][] = [
    ["", /^title: It is empty\.$/],
    ["x".repeat(2_000), /^title: It has more than 255 characters\.$/],
  ];
  for (const [title, problem] of words) {
    const answer = await request(world, content, { title });
    await world.inbox.look();
    assert.match(String((await answer())["problem"]), problem);
  }
  await chmod(content, 0o755);
  const path = join(content, "a.bin");
  world.refusal = Object.assign(new Error(`EACCES: permission denied, lstat '${path}'`), {
    code: "EACCES",
    path,
  });
  const answer = await request(world, content);
  await world.inbox.look();
  assert.deepEqual(await answer(), {
    problem: `The user whom the hub runs as may not read ${path}.`,
    code: "not-readable",
  });
});

test("BEP 46: a request with a signed item makes the content a version of a publication", async (context) => {
  const world = worldFor(context);
  await makeHub(world);
  const content = join(dirname(world.dataDir), "c/talks");
  await mkdir(content, { recursive: true });
  const version = {
    publicKey: "ab".repeat(32),
    sequence: "7",
    value: "6465",
    signature: "cd".repeat(64),
  };
  const answer = await request(world, content, { version });
  await world.inbox.look();
  const { torrentId } = await answer();
  assert.deepEqual(world.versions, [[torrentId, 7n]]);
  for (const [bad, words] of [
    [{ ...version, publicKey: "ab" }, /publicKey/],
    [{ ...version, sequence: "0" }, /There is a newer one/],
  ] as const) {
    const refused = await request(world, content, { version: bad });
    await world.inbox.look();
    assert.match(String((await refused())["problem"]), words);
  }
});
