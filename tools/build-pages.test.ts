import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { faultOfFolder, isNewer, pagesAreStale } from "./build-pages.ts";

test("the pages are not built again when nothing has changed", async () => {
  const build = () =>
    spawnSync(process.execPath, [path.join(import.meta.dirname, "build-pages.ts")], {
      encoding: "utf8",
    });
  const first = build();
  assert.equal(first.status, 0, first.stderr);
  assert.equal(await pagesAreStale(), false);
  assert.equal(build().stdout, "");
});

test("a newer source counts wherever it is; builds, tests and documents do not", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "everseed-pages-"));
  const builtSeconds = 1_000_000;
  const put = async (name: string, seconds: number): Promise<void> => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, "");
    await utimes(file, seconds, seconds);
  };
  try {
    await put("parts/old.tsx", builtSeconds - 5);
    await put("parts/some.test.ts", builtSeconds + 5);
    await put("README.md", builtSeconds + 5);
    await put("dist/client/app.js", builtSeconds + 5);
    assert.equal(await isNewer(folder, builtSeconds * 1000), false);
    await put("parts/new.tsx", builtSeconds + 5);
    assert.equal(await isNewer(folder, builtSeconds * 1000), true);
    assert.equal(await isNewer(path.join(folder, "nowhere"), 0), false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a folder in which no bundler works is refused with a message; odd ones in which they work are not", () => {
  for (const folder of ["/home/ann/c#/everseed", "/home/ann/what?/everseed", "/srv/back\\slash"]) {
    assert.match(faultOfFolder(folder) ?? "", /Give it another name/, folder);
  }
  for (const folder of ["/home/ann/My files/everseed", "/srv/100%/$x;&'é\"*"]) {
    assert.equal(faultOfFolder(folder), undefined, folder);
  }
});
