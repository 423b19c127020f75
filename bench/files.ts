import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeFiles } from "../src/platform/node-files.ts";

// Measures a hub's whole-file calls: with a root, each call opens its folder without following links; without one, the
// system resolves the path. By hand: `tools/run node bench/files.ts`.

const FILES = 10_000;
const FILES_A_FOLDER = 500;
const WRITES = 500;

function makeTree(folder: string): string[] {
  const paths: string[] = [];
  for (let index = 0; index < FILES; index += 1) {
    const below = join(folder, String(Math.floor(index / FILES_A_FOLDER)));
    if (index % FILES_A_FOLDER === 0) mkdirSync(below, { recursive: true });
    paths.push(join(below, String(index)));
    writeFileSync(paths[index]!, "x");
  }
  return paths;
}

async function time(what: string, act: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await act();
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${what}: ${ms.toFixed(0)} ms, CPU ${((user + system) / 1000).toFixed(0)} ms`);
}

const root = mkdtempSync(join(tmpdir(), "everseed-bench-"));
try {
  for (let round = 0; round < 2; round += 1) {
    for (const [name, files] of [
      ["by path", new NodeFiles()],
      ["by folders", new NodeFiles(root)],
    ] as const) {
      const tree = join(root, "content/aa/key");
      const paths = makeTree(tree);
      await time(`${name}: ${FILES} looks`, async () => {
        for (const path of paths) await files.stat(path);
      });
      await time(`${name}: ${WRITES} writes`, async () => {
        for (let index = 0; index < WRITES; index += 1) {
          await files.write(join(root, `torrents/${index}`), new Uint8Array(100));
        }
      });
      await time(`${name}: removing ${FILES} files`, () => files.remove(tree));
      files.close();
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
