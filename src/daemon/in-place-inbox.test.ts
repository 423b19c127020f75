import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { createTorrent } from "../commands/create-torrent.ts";
import { inPlaceFiles } from "../publish/in-place-files.ts";
import { inPlacePorts } from "./in-place-ports.ts";
import { InPlaceInbox } from "./in-place-inbox.ts";

interface World {
  readonly dataDir: string;
  readonly inbox: InPlaceInbox;
  /** Content folders that were adopted. */
  readonly adopted: string[];
  owner: string | undefined;
  refusal: Error | undefined;
}

function worldFor(context: TestContext): World {
  const dataDir = join(temporaryFolder(context, "everseed-inbox-"), "data");
  const files = new NodeFiles(dataDir);
  const world: World = {
    dataDir,
    adopted: [],
    owner: "ann",
    refusal: undefined,
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
      ownerId: async () => world.owner,
      addressesOf: async (id) => ({
        title: id,
        pageUrl: `http://hub.test/t/${id}`,
        magnet: "magnet:?",
      }),
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
