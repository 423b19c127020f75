import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../test/fixtures/temporary-folder.ts";

const repository = path.resolve(import.meta.dirname, "..");

/** A copy of only the two launchers, below a folder with an awkward name. */
function launchers(t: TestContext, folder = "a folder"): string {
  const home = path.join(temporaryFolder(t, "everseed-run-"), folder);
  for (const file of ["bin/everseed", "bin/run-time.sh", "tools/run"]) {
    fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
    fs.copyFileSync(path.join(repository, file), path.join(home, file));
  }
  return home;
}

/** A PATH with what the launchers themselves need, and a `node` that claims this version. */
function pathWith(home: string, version: number | "none"): string {
  const folder = path.join(home, "path");
  fs.mkdirSync(folder);
  for (const program of ["sh", "dirname", "uname", "readlink", "env"]) {
    const found = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" });
    fs.symlinkSync(found.stdout.trim(), path.join(folder, program));
  }
  if (version !== "none") pretendNode(path.join(folder, "node"), version);
  return folder;
}

/** Answers when asked for its version; otherwise prints which Node it is and its arguments. */
function pretendNode(file: string, version: number): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const script = `#!/bin/sh\nif [ "$1" = -p ]; then echo ${version}; else echo "node ${version}: $*"; fi\n`;
  fs.writeFileSync(file, script, { mode: 0o755 });
}

function run(home: string, program: string, args: readonly string[], PATH: string, agent = "") {
  const { status, stdout, stderr } = spawnSync(path.join(home, program), args, {
    cwd: "/",
    env: { PATH, npm_config_user_agent: agent },
    encoding: "utf8",
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

const ownNode = `node_modules/node-linux-${process.arch}/bin/node`;

test("the Node that came as a package is used, whatever is on the PATH", (t) => {
  const home = launchers(t);
  pretendNode(path.join(home, ownNode), 26);
  for (const version of [18, "none"] as const) {
    const PATH = pathWith(home, version);
    const ran = run(home, "tools/run", ["node", "tools/test.ts", "two words"], PATH);
    assert.deepEqual(ran, { status: 0, stdout: "node 26: tools/test.ts two words", stderr: "" });
    assert.match(run(home, "bin/everseed", ["--version"], PATH).stdout, /^node 26: .*--version$/);
    fs.rmSync(PATH, { recursive: true });
  }
});

test("programs of node_modules/.bin, and what they start, find that Node as well", (t) => {
  const home = launchers(t);
  pretendNode(path.join(home, ownNode), 26);
  const bin = path.join(home, "node_modules/.bin");
  fs.mkdirSync(bin);
  fs.writeFileSync(path.join(bin, "tsc"), "#!/usr/bin/env node\n", { mode: 0o755 });
  const { stdout } = run(home, "tools/run", ["tsc", "-p", "x"], pathWith(home, 18));
  assert.equal(stdout, `node 26: ${path.join(bin, "tsc")} -p x`);
});

test("without the package a system's Node is used if it is new enough", (t) => {
  const home = launchers(t);
  const PATH = pathWith(home, 27);
  assert.equal(run(home, "tools/run", ["node", "x.ts"], PATH).stdout, "node 27: x.ts");
});

test("without a new enough Node: one sentence, which says what to do", (t) => {
  const home = launchers(t);
  const PATH = pathWith(home, 18);
  for (const program of ["tools/run", "bin/everseed"]) {
    const missing = run(home, program, ["node"], PATH);
    assert.equal(missing.status, 1);
    assert.equal(
      missing.stderr,
      `everseed: Node 26 is missing. Run npm ci without --omit=optional in ${home}, or install Node 26 or newer.`,
    );
  }
  // A checkout, before npm ci.
  fs.mkdirSync(path.join(home, "src"));
  const fresh = run(home, "tools/run", ["node"], PATH);
  assert.equal(fresh.stderr, `everseed: What it needs is not installed yet. Run npm ci in ${home}`);
});

test("an npm that cannot read our lock file gets one sentence", (t) => {
  const home = launchers(t);
  pretendNode(path.join(home, ownNode), 26);
  const PATH = pathWith(home, 14);
  const old = run(home, "tools/run", ["node"], PATH, "npm/6.14.18 node/v14.21.3 linux x64");
  assert.equal(old.status, 1);
  assert.match(
    old.stderr,
    /^everseed: This npm is too old to read package-lock\.json\. Install npm 9 .*$/,
  );
  for (const agent of ["npm/9.2.0 node/v18.20.4 linux x64", "npm/10.9.9", "npm/11.0.0"]) {
    assert.equal(run(home, "tools/run", ["node"], PATH, agent).status, 0, agent);
  }
});

test("every script of npm begins with the launcher that finds our Node", () => {
  const text = fs.readFileSync(path.join(repository, "package.json"), "utf8");
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
  for (const [name, script] of Object.entries(scripts)) {
    for (const part of script.split("&&")) {
      assert.match(
        part.trim(),
        /^(?:exec )?(?:tools\/run |bin\/everseed |npm (?:run|test)\b)/,
        name,
      );
    }
  }
});
