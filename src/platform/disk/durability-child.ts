import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BLOCK, ContentCalls, makeFixture } from "./disk-fixture.ts";
import { NodeDisk } from "../node-disk.ts";
import { NodeFiles } from "../node-files.ts";

/**
 * `durability-child.ts JOB FOLDER` runs one job, which writes through the real ports, for
 * `durability.test.ts` to watch.
 */
const [job = "", folder = ""] = process.argv.slice(2);
const files = new NodeFiles();

const JOBS: Readonly<Record<string, () => Promise<void>>> = {
  async state() {
    await files.write(join(folder, "state"), Buffer.from("new"));
  },
  async "new folders"() {
    await files.write(join(folder, "a/b/state"), Buffer.from("new"));
  },
  async "new folders below a root"() {
    const guarded = new NodeFiles(folder);
    await guarded.write(join(folder, "a/b/state"), Buffer.from("new"));
    guarded.close();
  },
  async journal() {
    const journal = await files.openAppend(join(folder, "journal"), 0);
    await journal.append(Buffer.from("first"));
    await journal.append(Buffer.from("second"));
    await journal.close();
  },
  async move() {
    await files.write(join(folder, "from/file"), Buffer.from("bytes"));
    await files.move(join(folder, "from/file"), join(folder, "to/file"));
  },
  async link() {
    await files.write(join(folder, "one"), Buffer.from("bytes"));
    await files.write(join(folder, "two"), Buffer.from("bytes"));
    await files.replaceByLink(join(folder, "one"), join(folder, "two"));
  },
  async content() {
    mkdirSync(join(folder, "root"));
    await storeContent(join(folder, "root"));
  },
  async "content in new folders"() {
    await storeContent(join(folder, "new/root"));
  },
};

async function storeContent(root: string): Promise<void> {
  const disk = new NodeDisk({ workers: 2 });
  const fixture = makeFixture(root, "v1", BLOCK * 4, [
    { path: "t/a", length: BLOCK * 6 },
    { path: "t/deep/b", length: BLOCK * 3 },
  ]);
  const calls = new ContentCalls(disk, fixture);
  for (const verdict of await calls.storeAll()) {
    if (verdict.kind !== "intact") throw new Error(verdict.kind);
  }
  const outcome = await calls.sync();
  if (outcome.kind !== "done") throw new Error(outcome.kind);
  await calls.close();
  await disk.close();
}

await JOBS[job]!();
