import assert from "node:assert/strict";
import { test } from "node:test";
import { fromPicker, inventName, named, walkDropped } from "./chosen-files.ts";

function picked(path: string, bytes = 3): File {
  const file = new File([new Uint8Array(bytes)], path.slice(path.lastIndexOf("/") + 1));
  Object.defineProperty(file, "webkitRelativePath", { value: path.includes("/") ? path : "" });
  return file;
}

type Tree = { readonly [name: string]: Tree | number | "unreadable" };

/** Entries as a browser gives them on a drop: 100 at a time. */
function entry(name: string, content: Tree | number | "unreadable"): FileSystemEntry {
  const shape =
    typeof content === "object"
      ? { isFile: false, isDirectory: true, name, createReader: () => reader(content) }
      : {
          isFile: true,
          isDirectory: false,
          name,
          file: (resolve: (file: File) => void, reject: (error: Error) => void) =>
            content === "unreadable"
              ? reject(new Error("NotReadable"))
              : resolve(new File([new Uint8Array(content)], name)),
        };
  return shape as unknown as FileSystemEntry;
}

function reader(tree: Tree) {
  const rest = Object.entries(tree).map(([name, content]) => entry(name, content));
  return {
    readEntries: (resolve: (batch: FileSystemEntry[]) => void) => resolve(rest.splice(0, 100)),
  };
}

const noCount = (): void => undefined;

test("one picked file is the torrent itself; a picked folder keeps its sub-folders", async () => {
  const one = await fromPicker([picked("talk.webm", 7)], noCount);
  assert.deepEqual([one.name, one.folder, one.size], ["talk.webm", false, 7]);
  const folder = await fromPicker([picked("talks/a.webm"), picked("talks/slides/01.pdf")], noCount);
  assert.deepEqual([folder.name, folder.folder, folder.size], ["talks", true, 6]);
  assert.deepEqual(
    folder.files.map((file) => file.path),
    ["a.webm", "slides/01.pdf"],
  );
});

test("a dropped folder is walked to its end, batches of 100 included", async () => {
  const many = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`f${index}`, 1]));
  const dropped = await walkDropped([entry("data", { many, readme: 5 })], 10_000, noCount);
  assert.deepEqual([dropped.name, dropped.folder, dropped.files.length], ["data", true, 251]);
  assert.ok(dropped.files.some((file) => file.path === "many/f249"));
  assert.equal(dropped.size, 255);
});

test("dropped folders beside files keep their names; unreadable files are listed", async () => {
  const dropped = await walkDropped(
    [entry("notes", { "a.txt": 1, "b.txt": "unreadable" }), entry("c.txt", 2)],
    10_000,
    noCount,
  );
  assert.deepEqual(
    dropped.files.map((file) => file.path),
    ["c.txt", "notes/a.txt"],
  );
  assert.deepEqual(dropped.unreadable, ["notes/b.txt"]);
  assert.equal(dropped.folder, true);
});

test("the walk stops soon above the limit", async () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, 1]));
  const dropped = await walkDropped([entry("data", many)], 300, noCount);
  assert.ok(dropped.files.length > 300 && dropped.files.length <= 401);
});

test("loose files get a name from what they share", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["lecture-01.mp4", "lecture-02.mp4"], "lecture"],
    [["a.txt", "b.txt", "c.txt"], "a and 2 more"],
    [["IMG_0001.jpg", "IMG_0002.jpg"], "IMG_0001 and 1 more"],
    [["only/a", "only/b"], "only"],
  ];
  for (const [paths, name] of cases) assert.equal(inventName(paths), name);
});

test("a title names what is published; a file or folder that has a name keeps it", async () => {
  const title = 'Tides: high & low? "2026"';
  const file = await fromPicker([picked("tides.mp4")], () => undefined);
  assert.deepEqual(named(file, title), { name: "tides.mp4", title });
  assert.deepEqual(named(file, "tides.mp4"), { name: "tides.mp4" });
  const folder = await fromPicker([picked("talks/a"), picked("talks/b")], () => undefined);
  assert.deepEqual(named(folder, title), { name: "talks", title });
  const loose = await fromPicker([picked("a.txt"), picked("b.txt")], () => undefined);
  assert.deepEqual(named(loose, title), { name: title });
});
