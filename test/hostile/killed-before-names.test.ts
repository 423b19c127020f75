import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { assertSame, type Made, makeTorrent, startSeed, temporaryFolder } from "./world.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const CHILD = fileURLToPath(new URL("download-child.ts", import.meta.url));
/** EVERSEED_TEST_KILLS=200 is for a run at night. */
const KILLS = Number(process.env.EVERSEED_TEST_KILLS ?? 6);

/** Downloads in a separate process, which is killed after a while unless it ends before. */
async function downloadFor(
  t: TestContext,
  world: { readonly folder: string; readonly port: number },
  lifeMs: number | undefined,
): Promise<number | null> {
  const args = [CHILD, join(world.folder, "t.torrent"), join(world.folder, "download")];
  const child = spawn(process.execPath, [...args, String(world.port), "suffix"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "close");
  if (lifeMs !== undefined) {
    await Promise.race([once(child.stdout, "data"), ended]);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, lifeMs)), ended]);
    child.kill("SIGKILL");
  }
  const [exit] = (await ended) as [number | null];
  return exit;
}

/** A file with its final name is whole; none exists twice. @returns The whole files, and the others. */
function assertNames(made: Made, root: string): { named: number; unfinished: number } {
  let [named, unfinished] = [0, 0];
  for (const [path, bytes] of made.bytes) {
    const file = join(root, path);
    if (existsSync(`${file}.part`)) unfinished += 1;
    if (!existsSync(file)) continue;
    named += 1;
    assert.ok(readFileSync(file).equals(bytes), `${path} has its name and is not whole`);
    assert.ok(!existsSync(`${file}.part`) || bytes.length === 0, `${path} stands there twice`);
  }
  return { named, unfinished };
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(
    `STO-1: killed ${KILLS} times, no file of a ${kind} torrent has its name before it is whole`,
    { timeout: 60_000 + KILLS * 3_000 },
    async (t) => {
      // Larger and smaller than a piece, and an empty one.
      const sizes = Array.from({ length: 40 }, (_, index) => [
        `d${index % 3}/f${index}`,
        ((index % 8) + 1) * 50 * KIB,
      ]);
      const made = await makeTorrent(t, {
        kind,
        pieceLength: 64 * KIB,
        files: { ...(Object.fromEntries(sizes) as Record<string, number>), empty: 0 },
      });
      const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 4 * MIB } });
      const folder = temporaryFolder(t);
      mkdirSync(join(folder, "download"));
      writeFileSync(join(folder, "t.torrent"), made.torrent);
      const world = { folder, port: seeder.endpoint.port };
      const random = seededRandom(20_261_129);
      let [named, unfinished] = [0, 0];
      for (let kill = 0; kill < KILLS; kill += 1) {
        await downloadFor(t, world, random.below(500));
        const seen = assertNames(made, join(folder, "download"));
        named += seen.named;
        unfinished += seen.unfinished;
      }
      t.diagnostic(`${named} named and ${unfinished} unfinished files seen`);
      assert.ok(unfinished > 0, "some kill met unfinished files");
      seeder.session.setLimits({ upBytesPerSecond: 0 });
      assert.equal(await downloadFor(t, world, undefined), 0);
      assertSame(made, join(folder, "download"));
      assert.deepEqual(assertNames(made, join(folder, "download")).unfinished, 0);
    },
  );
}
