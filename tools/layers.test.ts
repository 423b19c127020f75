import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { INSIDE, isTest, judgeImport, ROOMS } from "./layers.ts";

const repository = resolve(import.meta.dirname, "..");
const oxlint = join(repository, "node_modules/.bin/oxlint");

const refused: readonly (readonly [file: string, specifier: string, why: RegExp])[] = [
  ["src/wire/decoder.ts", "../engine/session.ts", /wire\/ may not import engine\//],
  ["src/engine/session.ts", "../tracker-client/client.ts", /may not import tracker-client\//],
  ["src/engine/picker/rarest.ts", "../../hub/app.ts", /engine\/ may not import hub\//],
  ["src/cli/get.ts", "../engine/session.ts", /cli\/ may not import engine\//],
  ["src/daemon/run.ts", "../cli/get.ts", /daemon\/ may not import cli\//],
  ["src/daemon/run.ts", "../sim/swarm.ts", /daemon\/ may not import sim\//],
  ["src/base/bytes.ts", "../ports/clock.ts", /base\/ may not import ports\//],
  ["src/daemon/run.ts", "../engine/picker/rarest.ts", /Subfolders of engine\/ are private/],
  ["src/engine/session.ts", "../wire/index.ts", /No index\.ts/],
  ["src/engine/session.ts", "../shared/thing.ts", /src\/shared is no room/],
  ["src/shared/thing.ts", "../base/bytes.ts", /src\/shared is no room/],
  ["src/hub/app.ts", "../../web/app.tsx", /src\/ does not import web\//],
  ["src/engine/session.ts", "../../tools/layers.ts", /src\/ does not import tools\//],
  ["web/app.tsx", "../src/hub/app.ts", /may import api\/ only/],
  ["web/pages/home.tsx", "../../src/base/bytes.ts", /may import api\/ only/],
  ["src/wire/decoder.ts", "node:buffer", /wire\/ does not touch the world/],
  ["src/base/bytes.ts", "node:crypto", /base\/ does not touch the world/],
  ["src/base/hash.ts", "node:fs", /base\/ does not touch the world/],
  ["src/hub/app.ts", "node:fs", /hub\/ does not touch the world/],
  ["src/engine/session.ts", "pino", /engine\/ uses no package/],
  [
    "src/engine/upload/uploader.ts",
    "../download/downloader.ts",
    /engine\/upload may not import download/,
  ],
  ["src/engine/connection/a.ts", "../swarm/swarm.ts", /engine\/connection may not import swarm/],
  ["src/engine/picker/a.ts", "../torrent/torrent.ts", /engine\/picker may not import torrent/],
  ["src/engine/torrent/torrent.ts", "../session.ts", /session\.ts puts the folders of engine/],
  ["src/engine/settings.ts", "./sharing/crowd.ts", /engine\/ may not import sharing/],
  ["src/engine/misc/a.ts", "../picker/b.ts", /src\/engine\/misc is no folder/],
  ["test/swarm/a.test.ts", "../../src/engine/picker/b.ts", /Subfolders of engine\/ are private/],
];

for (const [file, specifier, why] of refused) {
  test(`refuses ${specifier} in ${file}`, () => {
    assert.match(judgeImport(file, specifier) ?? "allowed", why);
  });
}

const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ["src/wire/decoder.ts", "../base/bytes.ts"],
  ["src/wire/decoder.ts", "../bencode/decode.ts"],
  ["src/engine/picker/rarest.ts", "./buckets.ts"],
  ["src/engine/session.ts", "./picker/rarest.ts"],
  ["src/engine/picker/rarest.ts", "../../metainfo/metainfo.ts"],
  ["src/engine/session.test.ts", "../sim/swarm.ts"],
  ["src/engine/session.test.ts", "node:test"],
  ["src/engine/session.ts", "./torrent/torrent.ts"],
  ["src/engine/torrent/torrent.ts", "../session-contract.ts"],
  ["src/engine/torrent/torrent.ts", "../swarm/swarm.ts"],
  ["src/engine/upload/uploader.test.ts", "../download/downloader.ts"],
  ["bench/picker.ts", "../src/engine/picker/piece-picker.ts"],
  ["src/base/hash.ts", "node:crypto"],
  ["src/platform/tcp.ts", "node:net"],
  ["src/hub/app.ts", "hono"],
  ["src/daemon/run.ts", "../hub/app.ts"],
  ["src/cli/get.ts", "../daemon/get-torrent.ts"],
  ["web/app.tsx", "../src/api/torrents.ts"],
  ["test/swarm/flash-crowd.test.ts", "../../src/sim/swarm.ts"],
];

for (const [file, specifier] of allowed) {
  test(`allows ${specifier} in ${file}`, () => {
    assert.equal(judgeImport(file, specifier), undefined);
  });
}

test("every folder of src/ is a room, and the arrows lead to rooms without a circle", () => {
  for (const entry of readdirSync(join(repository, "src"))) assert.ok(ROOMS.has(entry), entry);
  const visit = (room: string, path: readonly string[]): void => {
    assert.ok(!path.includes(room), `circle: ${[...path, room].join(" -> ")}`);
    const row = ROOMS.get(room);
    assert.ok(row, `${path.at(-1)} points to ${room}, which is no room`);
    for (const next of row.imports) visit(next, [...path, room]);
  };
  for (const room of ROOMS.keys()) visit(room, []);
});

test("every folder of a room with a table is in it, and its arrows make no circle", () => {
  for (const [room, { folders }] of INSIDE) {
    const entries = readdirSync(join(repository, "src", room), { withFileTypes: true });
    const there = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    assert.deepEqual(there.toSorted(), [...folders.keys()].toSorted());
    const visit = (folder: string, path: readonly string[]): void => {
      assert.ok(!path.includes(folder), `circle: ${[...path, folder].join(" -> ")}`);
      const next = folders.get(folder);
      assert.ok(next, `${path.at(-1)} points to ${folder}, which is no folder`);
      for (const each of next) visit(each, [...path, folder]);
    };
    for (const folder of folders.keys()) visit(folder, []);
  }
});

const violations: readonly (readonly [name: string, files: Record<string, string>, why: RegExp])[] =
  [
    [
      "a static import against the arrows",
      { "src/wire/a.ts": `import { b } from "../engine/b.ts";\nexport const a = b;\n` },
      /everseed\(layers\).*wire\/ may not import engine\//s,
    ],
    [
      "an import of types only",
      { "src/wire/a.ts": `import type { B } from "../engine/b.ts";\nexport type A = B;\n` },
      /everseed\(layers\)/,
    ],
    [
      "a re-export",
      { "src/wire/a.ts": `export { b } from "../engine/b.ts";\nexport * from "../hub/c.ts";\n` },
      /wire\/ may not import engine\/.*wire\/ may not import hub\//s,
    ],
    [
      "a dynamic import and an import inside a type",
      {
        "src/wire/a.ts": `export type B = import("../engine/b.ts").B;\nexport const a = () => import("../hub/c.ts");\n`,
      },
      /wire\/ may not import engine\/.*wire\/ may not import hub\//s,
    ],
    [
      "a circle, types included",
      {
        "src/wire/a.ts": `import type { B } from "./b.ts";\nexport type A = B;\n`,
        "src/wire/b.ts": `import type { A } from "./a.ts";\nexport type B = A[];\n`,
      },
      /import\(no-cycle\)/,
    ],
    ["the clock", { "src/wire/a.ts": `export const a = () => Date.now();\n` }, /Clock port/],
    [
      "timers",
      { "src/engine/a.ts": `export const a = () => setTimeout(() => undefined, 5);\n` },
      /Clock port/,
    ],
    ["chance", { "src/engine/a.ts": `export const a = () => Math.random();\n` }, /Random port/],
    [
      "a promise nobody waits for",
      { "src/cli/a.ts": `export function a(): void {\n  Promise.resolve(1);\n}\n` },
      /no-floating-promises/,
    ],
  ];

for (const [name, files, why] of violations) {
  test(`oxlint refuses ${name}`, (context) => {
    const { status, output } = lint(context.after.bind(context), files);
    assert.match(output, why);
    assert.notEqual(status, 0, output);
  });
}

test("oxlint accepts the same things where they belong", (context) => {
  const { status, output } = lint(context.after.bind(context), {
    "src/platform/a.ts": `import { cpus } from "node:os";\nexport const a = () => setTimeout(() => cpus(), Date.now());\n`,
    "src/engine/a.test.ts": `import { test } from "node:test";\ntest("a", () => setTimeout(() => undefined, Date.now()));\n`,
  });
  assert.equal(status, 0, output);
});

/** The specifiers that the files of each room import, without tests. */
function importsByRoom(): ReadonlyMap<string, ReadonlySet<string>> {
  const imports = new Map<string, Set<string>>([...ROOMS.keys()].map((room) => [room, new Set()]));
  for (const file of globSync("src/**/*.ts", { cwd: repository })) {
    if (isTest(file)) continue;
    const text = readFileSync(join(repository, file), "utf8");
    const found = text.matchAll(/\b(?:from|import\(|import)\s*"([^"\s]+)"/g);
    for (const [, specifier = ""] of found) imports.get(file.split("/")[1]!)?.add(specifier);
  }
  return imports;
}

test("every arrow and every permission of a room is used by one of its files", () => {
  for (const [room, specifiers] of importsByRoom()) {
    const { imports, packages, world } = ROOMS.get(room)!;
    const rooms = new Set(
      [...specifiers].flatMap((each) => /^(?:\.\.\/)+([\w-]+)\//.exec(each)?.[1] ?? []),
    );
    assert.deepEqual(
      imports.filter((each) => !rooms.has(each)),
      [],
      `${room}: arrows without use`,
    );
    const outside = [...specifiers].filter((each) => !each.startsWith("."));
    if (packages)
      assert.ok(
        outside.some((each) => !each.startsWith("node:")),
        `${room}: packages`,
      );
    if (world)
      assert.ok(
        outside.some((each) => each.startsWith("node:")),
        `${room}: the world`,
      );
  }
});

test("every arrow between the folders of a room is used by one of their files", () => {
  for (const [room, { folders }] of INSIDE) {
    for (const [folder, arrows] of folders) {
      const texts = globSync(`src/${room}/${folder}/*.ts`, { cwd: repository })
        .filter((file) => !isTest(file))
        .map((file) => readFileSync(join(repository, file), "utf8"));
      const unused = arrows.filter((each) => !texts.some((text) => text.includes(`"../${each}/`)));
      assert.deepEqual(unused, [], `${room}/${folder}: arrows without use`);
    }
  }
});

/** Lints a small separate tree by the repository's configuration. */
function lint(after: (done: () => void) => void, files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "everseed-layers-"));
  after(() => rmSync(folder, { recursive: true }));
  for (const name of ["node_modules", "tsconfig.json", "tools"]) {
    symlinkSync(join(repository, name), join(folder, name));
  }
  // A copy, because its patterns apply below the folder that holds it.
  copyFileSync(join(repository, "oxlint.config.ts"), join(folder, "oxlint.config.ts"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const options = { cwd: folder, encoding: "utf8", timeout: 20_000 } as const;
  const { status, stdout, stderr } = spawnSync(oxlint, ["--type-aware", "src"], options);
  return { status, output: stdout + stderr };
}
