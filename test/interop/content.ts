import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder as temporaryFolderOf } from "../fixtures/temporary-folder.ts";
import { EVERSEED } from "./process.ts";

export function temporaryFolder(t: TestContext): string {
  return temporaryFolderOf(t, "everseed-interop-");
}

/** A folder like those that people publish: large, tiny and empty files, in many scripts. */
export function makeMixedFolder(parent: string, pieceLength: number): string {
  const folder = path.join(parent, "mixed");
  const files: readonly (readonly [string, number])[] = [
    ["empty.txt", 0],
    ["one-byte.bin", 1],
    ["one-piece.bin", pieceLength],
    ["large.bin", 9_000_001],
    ["lecture notes, 1.txt", 70_000],
    ["Übung/größe.dat", 1_000],
    ["второй день/запись.bin", 50_000],
    ["日本語/東京.txt", 12_345],
    ["عربي/ملف.txt", 300],
    ["emoji 🌱/🌲.bin", 4_096],
  ];
  for (const [name, bytes] of files) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, randomBytes(bytes));
  }
  return folder;
}

export interface MadeTorrent {
  readonly torrent: string;
  readonly magnet: string;
}

/** Makes a torrent with our own command. */
export function createTorrent(
  source: string,
  torrent: string,
  options: readonly string[],
): MadeTorrent {
  const output = execFileSync(EVERSEED, ["create", source, "-o", torrent, "--json", ...options], {
    encoding: "utf8",
    // Warnings too: on an error they are in its message.
    stdio: "pipe",
  });
  return { torrent, magnet: (JSON.parse(output) as { magnet: string }).magnet };
}
