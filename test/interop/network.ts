import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A network of its own, as long as the process lives that holds it. For tests that run in `inNetwork`. */
export class Network {
  readonly #holder: ChildProcess;

  constructor() {
    this.#holder = spawn("unshare", ["-n", "sleep", "600"], { stdio: "ignore" });
    this.#holder.unref();
  }

  get pid(): number {
    return this.#holder.pid!;
  }

  async opened(): Promise<void> {
    const own = readlinkSync("/proc/self/ns/net");
    for (let tries = 0; readlinkSync(`/proc/${this.pid}/ns/net`) === own; tries += 1) {
      assert.ok(tries < 500, "a network can be made");
      await sleep(10);
    }
  }

  /** The words that run a program in it. */
  words(...words: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", "-t", String(this.pid), "-n", ...words];
  }

  run(...words: string[]): string {
    const [program, ...rest] = this.words(...words);
    return execFileSync(program, rest, { encoding: "utf8" });
  }

  start(...words: string[]): ChildProcess {
    const [program, ...rest] = this.words(...words);
    return spawn(program, rest, { stdio: "ignore" });
  }

  close(): void {
    this.#holder.kill("SIGKILL");
  }
}

/** @returns Why no networks with routers can be made here; `undefined` where they can. */
export function whyNoNetworks(): string | undefined {
  // The same kinds of interfaces and tables that the tests make.
  const needed =
    "ip link add lan0 type veth peer name lan1 && nft add table inet filter && unshare -n true";
  const tried = spawnSync("unshare", ["-rn", "sh", "-c", needed], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  const why = tried.error?.message ?? tried.stderr.trim();
  return `no network with a router can be made here (unshare -rn, ip, nft): ${why}`;
}

/** Runs a file of tests in a network of its own, which begins empty. All of them must pass. */
export function testInNetwork(file: string, count: number, timeoutMs: number): void {
  const run = spawnSync("unshare", ["-rn", process.execPath, "--test", file], {
    encoding: "utf8",
    timeout: timeoutMs,
    // Otherwise it reports to the runner of this test, as a part of it that is never printed.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
  assert.match(run.stdout, new RegExp(`pass ${count}\\n`));
}
