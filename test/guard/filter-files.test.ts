import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { gunzipParts } from "../../src/platform/gunzip-parts.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { until } from "../fixtures/until.ts";
import { FilterError } from "../../src/guard/filter-error.ts";
import { FilterFiles } from "../../src/guard/filter-files.ts";

const LOOK_MS = 5_000;

/** @param lists - What the files hold; `undefined`: there is no such file. */
async function openFilters(
  t: TestContext,
  lists: Readonly<Record<string, string | Uint8Array | undefined>>,
  { mayMiss = false } = {},
) {
  const folder = temporaryFolder(t, "filters-");
  const paths = Object.keys(lists).map((name) => path.join(folder, name));
  for (const [name, content] of Object.entries(lists)) {
    if (content !== undefined) fs.writeFileSync(path.join(folder, name), content);
  }
  const clock = new Simulation();
  const words: string[] = [];
  const log = {
    debug: () => undefined,
    info: (text: string) => void words.push(text),
    warn: (text: string) => void words.push(text),
    error: (text: string) => void words.push(text),
  };
  const filters = await FilterFiles.open({
    paths,
    files: new NodeUserFiles(),
    gunzip: gunzipParts,
    clock,
    log,
    mayMiss,
  });
  t.after(() => filters.close());
  return { folder, filters, clock, words };
}

/** Lets it look at its files, and waits until that had a consequence. */
async function look(clock: Simulation, isDone: () => boolean): Promise<void> {
  await until("it was read again", () => {
    clock.runFor(LOOK_MS);
    return isDone();
  });
}

test("several lists count together; a packed one and a link to one are read too", async (t) => {
  const { filters, folder } = await openFilters(t, {
    "a.p2p": "org:1.2.3.4-1.2.3.9\n",
    "b.gz": gzipSync("5.6.7.0/24\n2001:db8::/32\n"),
  });
  assert.equal(filters.status().ranges, 3);
  const has = ["1.2.3.5", "5.6.7.8", "2001:db8::7", "8.8.8.8", "no address"].map((each) =>
    filters.has(each),
  );
  assert.deepEqual(has, [true, true, true, false, false]);
  fs.symlinkSync(path.join(folder, "a.p2p"), path.join(folder, "link"));
  const linked = await FilterFiles.open({
    paths: [path.join(folder, "link")],
    files: new NodeUserFiles(),
    gunzip: gunzipParts,
    clock: new Simulation(),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  linked.close();
  assert.ok(linked.has("1.2.3.4"));
});

test("bad lines are told: how many, and the number of the first", async (t) => {
  const { words, folder } = await openFilters(t, { list: "1.2.3.4\nwhat\n\nwhy\n" });
  assert.deepEqual(words, [
    `2 lines of the IP filter ${path.join(folder, "list")} cannot be read, the first is line 2. The other lines hold`,
  ]);
});

test("a file that is absent, and one that is no list, are refused by name", async (t) => {
  const folder = temporaryFolder(t, "filters-");
  const page = path.join(folder, "page");
  fs.writeFileSync(page, "<html>");
  for (const [name, code] of [
    [path.join(folder, "gone"), "not-found"],
    [page, "no-list"],
  ] as const) {
    const opening = FilterFiles.open({
      paths: [name],
      files: new NodeUserFiles(),
      gunzip: gunzipParts,
      clock: new Simulation(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof FilterError);
      assert.equal(error.code, code);
      return error.message.includes(name);
    });
  }
});

test("a damaged archive is refused", async (t) => {
  const packed = gzipSync("1.2.3.4\n".repeat(1000));
  await assert.rejects(openFilters(t, { "list.gz": packed.subarray(0, 30) }), FilterError);
});

test("a list that changed is read again, and whoever watches is told", async (t) => {
  const { filters, folder, clock } = await openFilters(t, { list: "1.2.3.4\n" });
  let told = 0;
  const unwatch = filters.watch(() => (told += 1));
  fs.writeFileSync(path.join(folder, "list"), "5.6.7.8\n9.9.9.9\n");
  await look(clock, () => told === 1);
  assert.deepEqual(
    ["1.2.3.4", "5.6.7.8"].map((each) => filters.has(each)),
    [false, true],
  );
  unwatch();
  fs.writeFileSync(path.join(folder, "list"), "7.7.7.7\n");
  await look(clock, () => filters.has("7.7.7.7"));
  assert.equal(told, 1);
});

test("while a changed list is no list, or away, the old one holds, and the trouble is told", async (t) => {
  const { filters, folder, clock, words } = await openFilters(t, { list: "1.2.3.4\n" });
  fs.writeFileSync(path.join(folder, "list"), "<html>\n");
  await look(clock, () => filters.status().trouble !== undefined);
  assert.ok(filters.has("1.2.3.4"));
  assert.match(words.at(-1)!, /still kept away/);
  fs.rmSync(path.join(folder, "list"));
  await look(clock, () => filters.status().trouble?.includes("no such file") === true);
  assert.ok(filters.has("1.2.3.4"));
  fs.writeFileSync(path.join(folder, "list"), "5.6.7.8\n");
  await look(clock, () => filters.has("5.6.7.8"));
  assert.deepEqual(filters.status(), { ranges: 1, trouble: undefined, missing: [] });
});

test("lists that may be missed are told and left out, and read as soon as they can be used", async (t) => {
  const lists = { here: "1.2.3.4\n", gone: undefined, page: "<html>\n" };
  const { filters, folder, clock, words } = await openFilters(t, lists, { mayMiss: true });
  const at = (name: string): string => path.join(folder, name);
  assert.ok(filters.has("1.2.3.4"), "the other list holds");
  assert.equal(filters.status().missing.length, 2);
  assert.match(words[0]!, /gone cannot be used: there is no such file\. It keeps no address away/);
  assert.match(words[1]!, /page cannot be used: no line of it is an address/);
  fs.writeFileSync(at("gone"), "5.6.7.8\n");
  await look(clock, () => filters.has("5.6.7.8"));
  assert.deepEqual([filters.status().missing.length, filters.status().trouble], [1, undefined]);
  // Once it was in use, it is not missed any more: its last version holds.
  fs.rmSync(at("gone"));
  await look(clock, () => filters.status().trouble?.includes("gone") === true);
  assert.ok(filters.has("5.6.7.8"));
});
