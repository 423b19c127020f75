import path from "node:path";
import { test } from "node:test";
import { libtorrent, skipUnless } from "./foreign-peers.ts";
import { testInNetwork, whyNoNetworks } from "./network.ts";

const INNER = path.join(import.meta.dirname, "two-routers.ts");

test(
  "BEP 55: libtorrent introduces two of ours, and ours a libtorrent that asks for it, behind routers that let in only answers",
  {
    skip: skipUnless({ missing: () => libtorrent.missing() ?? whyNoNetworks() }),
    timeout: 70_000,
  },
  () => testInNetwork(INNER, 2, 60_000),
);
