import assert from "node:assert/strict";
import { test } from "node:test";
import type { HopJudge } from "../ports/net.ts";
import { OwnNetworks } from "./own-networks.ts";
import { WebSeedGuard } from "./web-seed-guard.ts";

const NAMES = new Map([
  ["public.example", ["9.9.9.9"]],
  ["home.example", ["192.168.1.5"]],
  ["trap.example", ["9.9.9.9", "127.0.0.1"]],
  ["crowd.example", ["224.0.0.1"]],
]);

function guardOf(): {
  readonly guard: WebSeedGuard;
  readonly judge: (seed: string) => HopJudge;
} {
  let judge: (() => HopJudge) | undefined;
  const networks = new OwnNetworks(
    () => [],
    () => 0,
  );
  const openRangeLine = (judgeHops: () => HopJudge) => {
    judge = judgeHops;
    return { get: () => undefined, close: () => undefined };
  };
  const guard = new WebSeedGuard({ networks, openRangeLine });
  return {
    guard,
    judge: (seed) => {
      guard.open(seed);
      return judge!();
    },
  };
}

/** @returns What is connected to in the end; or why nothing is. */
function follow(judge: HopJudge, hops: readonly string[]): string {
  let last = "";
  for (const hop of hops) {
    const url = new URL(hop);
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const judged = judge({ url, addresses: NAMES.get(host) ?? [host] });
    if ("refused" in judged) return judged.refused;
    last = judged.join(",");
  }
  return last;
}

const HOME = "http://192.168.1.5:8420/t/x/seed/";
const IN_NETWORK = /is in your own network, where a torrent may not lead/;
const LED_INSIDE = /may not send us to/;

const CASES: readonly {
  readonly hops: readonly string[];
  readonly trusted?: true;
  /** The torrent came from there. */
  readonly from?: { readonly address: string; readonly url: string };
  readonly connects: string | RegExp;
}[] = [
  { hops: ["http://public.example/a"], connects: "9.9.9.9" },
  { hops: ["http://127.0.0.1/a"], connects: IN_NETWORK },
  { hops: ["http://127.0.0.1/announce"], connects: IN_NETWORK },
  { hops: ["http://2130706433/a"], connects: IN_NETWORK },
  { hops: ["http://0x7f.1/a"], connects: IN_NETWORK },
  { hops: ["http://[::1]/a"], connects: IN_NETWORK },
  { hops: ["http://[::ffff:10.0.0.1]/a"], connects: IN_NETWORK },
  { hops: ["http://169.254.169.254/latest/meta-data"], connects: IN_NETWORK },
  { hops: ["http://home.example/a"], connects: IN_NETWORK },
  { hops: ["http://trap.example/a"], connects: IN_NETWORK },
  { hops: ["http://crowd.example/a"], trusted: true, connects: /no address of a machine/ },
  { hops: ["http://public.example/a", "http://127.0.0.1/a"], connects: LED_INSIDE },
  { hops: ["http://public.example/a", "http://trap.example/a"], connects: LED_INSIDE },
  { hops: ["http://public.example/a", "http://127.0.0.1/a"], trusted: true, connects: LED_INSIDE },
  { hops: ["http://public.example/a", "http://9.9.9.10/a"], connects: "9.9.9.10" },
  // The user names it.
  { hops: ["http://127.0.0.1/a"], trusted: true, connects: "127.0.0.1" },
  { hops: ["http://127.0.0.1/a", "http://192.168.1.9/b"], trusted: true, connects: "192.168.1.9" },
  { hops: ["http://192.168.1.9/b", "http://127.0.0.1/a"], trusted: true, connects: LED_INSIDE },
  // The torrent comes from there: that server, and no other.
  {
    hops: [HOME],
    from: { address: "192.168.1.5", url: "http://home.example:8420/t/x.torrent" },
    connects: "192.168.1.5",
  },
  {
    hops: ["http://home.example/t/x/seed/"],
    from: { address: "192.168.1.5", url: "http://192.168.1.5/t/x.torrent" },
    connects: "192.168.1.5",
  },
  {
    hops: ["http://192.168.1.5:6379/t/x/seed/"],
    from: { address: "192.168.1.5", url: "http://192.168.1.5:8420/t/x.torrent" },
    connects: IN_NETWORK,
  },
  {
    hops: ["http://192.168.1.1/reboot"],
    from: { address: "192.168.1.5", url: "http://192.168.1.5:8420/t/x.torrent" },
    connects: IN_NETWORK,
  },
  {
    hops: [HOME, "http://192.168.1.1/reboot"],
    from: { address: "192.168.1.5", url: "http://192.168.1.5:8420/t/x.torrent" },
    connects: IN_NETWORK,
  },
  {
    hops: ["http://127.0.0.1:8420/a"],
    from: { address: "9.9.9.9", url: "http://127.0.0.1:8420/t/x.torrent" },
    connects: IN_NETWORK,
  },
];

for (const { hops, trusted, from, connects } of CASES) {
  const how = trusted ? "named by the user" : from ? `from ${from.url}` : "from anywhere";
  test(`HUB-7: a web seed ${hops.join(" to ")}, ${how}`, () => {
    const { guard, judge } = guardOf();
    const [seed] = hops;
    if (trusted) guard.trust(seed!);
    if (from) guard.vouch([seed!], from);
    const end = follow(judge(seed!), hops);
    if (connects instanceof RegExp) assert.match(end, connects);
    else assert.equal(end, connects);
  });
}

test("house rule 8: what the user names stays trusted when a torrent names it too, and trust is for one URL", () => {
  const { guard, judge } = guardOf();
  guard.trust("http://127.0.0.1/a");
  guard.vouch(["http://127.0.0.1/a"], { address: "192.168.1.5", url: "http://192.168.1.5/x" });
  assert.equal(follow(judge("http://127.0.0.1/a"), ["http://127.0.0.1/a/file"]), "127.0.0.1");
  assert.match(follow(judge("http://127.0.0.1/b"), ["http://127.0.0.1/b"]), IN_NETWORK);
});
