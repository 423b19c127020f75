import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { skipUnless } from "./foreign-peers.ts";

const INNER = path.join(import.meta.dirname, "router-network.ts");

const miniupnpd = {
  missing: () => {
    if (!existsSync("/usr/sbin/miniupnpd")) return "miniupnpd is not installed (tools/peers.sh)";
    // The same kinds of interfaces and tables that the test makes.
    const needed =
      "ip link add lan0 type veth peer name lan1 && nft add table inet filter && unshare -n true";
    const tried = spawnSync("unshare", ["-rn", "sh", "-c", needed], { encoding: "utf8" });
    if (tried.status === 0) return undefined;
    const why = tried.error?.message ?? tried.stderr.trim();
    return `no network with a router can be made here (unshare -rn, ip, nft): ${why}`;
  },
};

test(
  "miniupnpd 2.3.1 passes our ports on by PCP, NAT-PMP and UPnP, and those of a hub; peers outside connect through it",
  { skip: skipUnless(miniupnpd), timeout: 120_000 },
  () => {
    const run = spawnSync("unshare", ["-rn", process.execPath, "--test", INNER], {
      encoding: "utf8",
      timeout: 110_000,
      // Otherwise it reports to the runner of this test, as a part of it that is never printed.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    assert.match(run.stdout, /pass 4/);
  },
);
