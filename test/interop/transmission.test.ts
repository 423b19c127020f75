import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { skipUnless, transmission } from "./foreign-peers.ts";
import { fakeClock } from "./transmission-daemon.ts";

/** The files of tests inside, and how many tests they have. They wait most of the time, so they run together. */
const INNER = ["outer-addresses.ts", "transmission-streams.ts", "transmission-pex.ts"].map((name) =>
  path.join(import.meta.dirname, name),
);
const TESTS = 7;

/**
 * Transmission 3.00 connects to no peer on 127.0.0.0/8 that a tracker names. The test runs in a separate network
 * without a way out, where the loopback device has three other addresses.
 */
const NETWORK = `ip link set lo up ${[1, 2, 3]
  .map((each) => `&& ip addr add 10.77.0.${each}/24 dev lo`)
  .join(" ")}`;

const network = {
  missing: () => {
    const tried = spawnSync("unshare", ["-rn", "sh", "-c", NETWORK], { encoding: "utf8" });
    if (tried.status === 0) return undefined;
    const why = tried.error?.message ?? tried.stderr.trim();
    return `no network namespace can be made here (unshare -rn, ip): ${why}`;
  },
};

test(
  "PUB-1.1: Transmission at another address than loopback: publications, message stream encryption, peer exchange",
  {
    skip: skipUnless(transmission) || skipUnless(fakeClock) || skipUnless(network),
    timeout: 240_000,
  },
  () => {
    const inside = ["sh", "-c", `${NETWORK} && exec "$@"`, "sh", process.execPath];
    const run = spawnSync(
      "unshare",
      ["-rn", ...inside, "--test", "--test-concurrency=3", ...INNER],
      {
        encoding: "utf8",
        timeout: 230_000,
        // Otherwise it reports to the runner of this test, as a part of it that is never printed.
        env: { ...process.env, NODE_TEST_CONTEXT: undefined },
      },
    );
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    assert.match(run.stdout, new RegExp(`pass ${TESTS}\\n`));
  },
);
