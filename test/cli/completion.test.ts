import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { until } from "../fixtures/until.ts";
import { everseed, LAUNCHER, temporaryFolder } from "./everseed-process.ts";

// Real shells on a terminal of their own, a real node that knows two torrents, and somebody who presses Tab.

const STEER = "%1b%5b31m";
const MAGNETS = [
  `magnet:?xt=urn:btih:${"9d3c".repeat(10)}&dn=talks${STEER}`,
  `magnet:?xt=urn:btih:${"9dff".repeat(10)}&dn=films`,
];

/** What is typed before Tab, and what is on the screen then. The last three are all that other shells are asked. */
const PRESSED: readonly (readonly [typed: string, shown: RegExp])[] = [
  ["everseed daemon statu", /daemon status /],
  ["everseed create --kind=hy", /--kind=hybrid/],
  ["everseed config set engine.tra", /engine\.transport/],
  ["everseed stop 9d3", /stop 9d3c9d3c /],
  ["everseed show b", /show b\\ c\.torrent/],
  ["everseed ls --label so", /--label some\\ \\\$\\\(words\\\)/],
];

interface World {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

async function open(context: TestContext): Promise<World> {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, "bin"));
  symlinkSync(LAUNCHER, join(folder, "bin/everseed"));
  mkdirSync(join(folder, "here"));
  writeFileSync(join(folder, "here/b c.torrent"), "");
  const env = {
    ...process.env,
    EVERSEED_HOME: folder,
    EVERSEED_ENGINE_HOST: "127.0.0.1",
    EVERSEED_ENGINE_PORT: "0",
    HOME: folder,
    LC_ALL: "C.UTF-8",
    PATH: `${folder}/bin:${dirname(process.execPath)}:${process.env["PATH"]}`,
    TERM: "dumb",
    PS1: "> ",
  };
  const run = (...args: readonly string[]) => everseed(context, args, { env });
  assert.equal((await run("daemon", "start")).exit, 0);
  context.after(() => run("daemon", "stop"));
  for (const magnet of MAGNETS) {
    const added = await run("add", magnet, "--stopped", "--label", "some $(words)");
    assert.equal(added.exit, 0, added.stderr);
  }
  return { folder, env };
}

/** A shell whose terminal is the program `script`. */
class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  #shown = "";

  constructor(context: TestContext, shell: string, { folder, env }: World) {
    const args = ["-qfec", shell, "/dev/null"];
    this.#child = spawn("script", args, { cwd: join(folder, "here"), env });
    this.#child.stdout.on("data", (chunk: Buffer) => (this.#shown += chunk.toString()));
    context.after(() => this.#child.kill("SIGKILL"));
  }

  /** Types, and waits for what the shell puts on the screen after that. */
  async type(keys: string, shown: RegExp): Promise<string> {
    this.#shown = "";
    this.#child.stdin.write(keys);
    let seen = "";
    await until(`${shown} after ${JSON.stringify(keys)}`, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen = this.#shown;
      return shown.test(seen) || this.#child.exitCode !== null;
    });
    assert.match(seen, shown);
    return seen;
  }
}

function isThere(shell: string): boolean {
  if (spawnSync("which", [shell]).status === 0) return true;
  if (process.env["CI"] === "true") throw new Error(`${shell} is missing: run tools/peers.sh`);
  return false;
}

test("Tab in bash, zsh and fish completes commands, values, keys, ids, labels and files", async (context) => {
  const world = await open(context);

  const bash = new Terminal(context, "bash --norc -i", world);
  await bash.type("source <(everseed completion bash); echo rea''dy\n", /ready/);
  for (const [typed, shown] of PRESSED) await bash.type(`\u0015${typed}\t`, shown);
  // Several ids: each with the name of its torrent, which cannot steer the terminal.
  const listed = await bash.type("\u0015everseed stop 9d\t\t", /9dff9dff {2}films/);
  assert.match(listed, /9d3c9d3c {2}talks\\x1b\[31m/);

  if (isThere("zsh")) {
    const zsh = new Terminal(context, "zsh -f -i", world);
    const load = "autoload -Uz compinit; compinit -u -d zcomp; source <(everseed completion zsh)";
    await zsh.type(`${load}; echo rea''dy\n`, /ready/);
    for (const [typed, shown] of PRESSED.slice(-3)) await zsh.type(`\u0015${typed}\t`, shown);
  }
  if (isThere("fish")) {
    // It says what it would offer.
    const script = ["everseed completion fish | source"];
    for (const [typed] of PRESSED.slice(-3)) script.push(`complete -C ${JSON.stringify(typed)}`);
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", script.join("\n")], {
      cwd: join(world.folder, "here"),
      encoding: "utf8",
      env: world.env,
    });
    assert.equal(stderr, "");
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("\t")[0]),
      ["9d3c9d3c", "b c.torrent", "some $(words)"],
    );
  }
});
