import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { skipUnless } from "./foreign-peers.ts";
import { testInNetwork, whyNoNetworks } from "./network.ts";

const INNER = path.join(import.meta.dirname, "router-network.ts");

const miniupnpd = {
  missing: () =>
    existsSync("/usr/sbin/miniupnpd")
      ? whyNoNetworks()
      : "miniupnpd is not installed (tools/peers.sh)",
};

test(
  "miniupnpd 2.3.1 passes our ports on by PCP, NAT-PMP and UPnP, and those of a hub; peers outside connect through it",
  { skip: skipUnless(miniupnpd), timeout: 120_000 },
  () => testInNetwork(INNER, 6, 110_000),
);
