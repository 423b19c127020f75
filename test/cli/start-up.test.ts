import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { everseed, temporaryFolder } from "./everseed-process.ts";

const HOOK = import.meta.resolve("./loaded-modules.ts");

/** Runs a command. @returns What it loaded: our files below `src/`, packages and built-in modules by name. */
async function loadedBy(context: TestContext, folder: string, args: readonly string[]) {
  const list = join(folder, "loaded");
  await writeFile(list, "");
  const env = { NODE_OPTIONS: `--import=${HOOK}`, EVERSEED_TEST_LOADED: list };
  const { exit, stderr } = await everseed(context, args, { cwd: folder, env });
  assert.equal(exit, 0, stderr);
  const urls = (await readFile(list, "utf8")).trim().split("\n");
  return urls.map((url) => url.replace(/^.*\/node_modules\//, "").replace(/^.*\/(src\/)/, "$1"));
}

/** These once took half of the start-up time. */
const COSTLY = /^(?:node:http|node:https|node:sqlite|string-width|zod|hono|yaml|kysely)(?:$|\/)/;

/** The web site has the same choices and limits of options. Commands do not need its shapes, most of which load zod. */
const WORDS_OF_OPTIONS = ["src/api/kinds.ts", "src/api/source-limits.ts"];

test("a command loads only what it needs, so it starts as fast as the program itself", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "content"), "x");
  for (const { args, rooms, shapes } of [
    {
      args: ["--version"],
      rooms: ["base", "cli"],
      shapes: [],
    },
    {
      args: ["create", "--help"],
      rooms: ["api", "base", "cli"],
      shapes: WORDS_OF_OPTIONS,
    },
    {
      args: ["create", "content"],
      rooms: [
        "api",
        "base",
        "bencode",
        "cli",
        "commands",
        "daemon",
        "metainfo",
        "platform",
        "ports",
      ],
    },
    {
      args: ["show", "content.torrent"],
      rooms: ["api", "base", "bencode", "cli", "commands", "daemon", "metainfo", "platform"],
    },
    {
      args: ["check", "content.torrent", "."],
      rooms: [
        "api",
        "base",
        "bencode",
        "cli",
        "commands",
        "daemon",
        "engine",
        "metainfo",
        "platform",
        "ports",
      ],
    },
  ]) {
    const loaded = await loadedBy(context, folder, args);
    const costly = loaded.filter((module) => COSTLY.test(module));
    assert.deepEqual(costly, [], args.join(" "));
    const entered = loaded.flatMap((module) => /^src\/([^/]+)\//.exec(module)?.[1] ?? []);
    assert.deepEqual([...new Set(entered)].toSorted(), rooms, args.join(" "));
    if (shapes === undefined) continue;
    const api = loaded.filter((module) => module.startsWith("src/api/"));
    assert.deepEqual(api, shapes, args.join(" "));
  }
});

test("names in wide letters are printed as well", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "講演"), "x");
  const made = await everseed(context, ["create", "講演", "-o", "x.torrent"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const loaded = await loadedBy(context, folder, ["show", "x.torrent"]);
  assert.ok(loaded.some((module) => module.startsWith("string-width/")));
});
