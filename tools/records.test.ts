import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";

const repository = resolve(import.meta.dirname, "..");

/** The records that parts of the engine keep of one peer. Only the folder of a record writes to it. */
const RECORDS = {
  DownloadPeer: "src/engine/download",
  UploadPeer: "src/engine/upload",
  SwarmPeer: "src/engine/swarm",
} as const;

/** @returns The lines that name a record of another folder in a writable form. */
function faultsOf(file: string, text: string): string[] {
  const faults: string[] = [];
  for (const [record, folder] of Object.entries(RECORDS)) {
    if (dirname(file) === folder) continue;
    const bare = new RegExp(`(?<!Readonly<|new )\\b${record}\\b`);
    for (const line of text.split("\n")) {
      if (!line.startsWith("import") && bare.test(line)) faults.push(`${file}: ${line.trim()}`);
    }
  }
  return faults;
}

test("outside its folder a record of a peer is read-only to the compiler", () => {
  const files = globSync("src/engine/**/*.ts", { cwd: repository });
  const ours = files.filter((file) => !file.endsWith(".test.ts"));
  assert.ok(ours.length > 40);
  const faults = ours.flatMap((file) =>
    faultsOf(file, readFileSync(join(repository, file), "utf8")),
  );
  assert.deepEqual(faults, [], "write Readonly<...>, or move the code to the record's folder");
});

/** @returns The methods that hand a record out of its folder in a form that could be written to. */
function leaksOf(file: string, text: string): string[] {
  const leaks: string[] = [];
  for (const [record, folder] of Object.entries(RECORDS)) {
    if (dirname(file) !== folder) continue;
    const handsOut = new RegExp(`^  (?!#|private |protected ).*\\): ${record}\\b.*\\{$`);
    for (const line of text.split("\n")) {
      if (handsOut.test(line)) leaks.push(`${file}: ${line.trim()}`);
    }
  }
  return leaks;
}

test("the folder of a record hands it out read-only", () => {
  const leaks = globSync("src/engine/*/*.ts", { cwd: repository })
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => leaksOf(file, readFileSync(join(repository, file), "utf8")));
  assert.deepEqual(leaks, []);
  const text = `  join(a: A): UploadPeer {\n  ): UploadPeer {\n  #next(): UploadPeer {\n`;
  assert.deepEqual(leaksOf("src/engine/upload/a.ts", text), [
    "src/engine/upload/a.ts: join(a: A): UploadPeer {",
    "src/engine/upload/a.ts: ): UploadPeer {",
  ]);
});

test("a writable record outside its folder is noticed", () => {
  const text = `import type { UploadPeer } from "../upload/upload-peer.ts";\nlet a: Readonly<UploadPeer>;\nlet b: UploadPeer;`;
  assert.deepEqual(faultsOf("src/engine/torrent/a.ts", text), [
    "src/engine/torrent/a.ts: let b: UploadPeer;",
  ]);
  assert.deepEqual(faultsOf("src/engine/upload/a.ts", text), []);
});
