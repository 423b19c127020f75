import assert from "node:assert/strict";
import { test } from "node:test";
import { METHOD_NAMES } from "../../src/transmission-rpc/transmission-rpc.ts";
import { TORRENT_FIELDS } from "../../src/transmission-rpc/torrent-fields.ts";
import { RpcCaller } from "./transmission-world.ts";
import { TransfersWorld } from "./transfers-world.ts";

/** What no argument, or only some, can be. */
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  2 ** 53,
  "",
  "recently-active",
  "../..",
  "\0",
  [],
  [null],
  [-1, 2 ** 31],
  [[1]],
  {},
  { __proto__: 1, length: 2 },
];

const ARGUMENTS: readonly string[] = [
  ..."ids fields format filename metainfo cookies download-dir paused labels location move path name".split(
    " ",
  ),
  ..."files-wanted files-unwanted priority-high priority-low priority-normal bandwidthPriority".split(
    " ",
  ),
  ..."downloadLimit uploadLimited seedRatioLimit seedRatioMode seedIdleLimit queuePosition".split(
    " ",
  ),
  ..."trackerAdd trackerRemove trackerReplace trackerList group peer-limit honorsSessionLimits".split(
    " ",
  ),
  ..."alt-speed-down alt-speed-time-day speed-limit-up-enabled encryption peer-port dht-enabled".split(
    " ",
  ),
  ..."delete-local-data seedRatioLimited download-queue-size start-added-torrents".split(" "),
];

test("HUB-8 every method with arguments of wrong shapes: an answer each time, and refusals change nothing", async () => {
  const world = new TransfersWorld(61);
  const machine = world.machine();
  const node = await world.node(machine);
  const caller = new RpcCaller(world, node);
  const { bytes } = await world.torrent(machine);
  const metainfo = bytes.toBase64();
  const add = () => caller.call("torrent-add", { metainfo, paused: true });
  await add();
  const ids = (await caller.torrents(["hashString"])).map(({ hashString }) => hashString);
  const fields = [...TORRENT_FIELDS.keys()].filter((name) => !/Time|seconds/i.test(name));
  const look = async (): Promise<string> =>
    JSON.stringify([await caller.torrents(fields), node.transfers.settings, caller.ways]);
  // Each pair of a method and an argument gets one of the values, the next one another.
  let [next, refused] = [0, 0];
  let before = await look();
  for (const method of METHOD_NAMES) {
    for (const key of ARGUMENTS) {
      const value = VALUES[next % VALUES.length];
      next += 1;
      const args = { ids, fields: ["id"], [key]: value };
      const { result } = await caller.send(JSON.stringify({ method, arguments: args }));
      assert.equal(typeof result, "string");
      const after = await look();
      if (result !== "success") {
        refused += 1;
        assert.equal(after, before, `${method} ${key} ${JSON.stringify(value)}`);
      }
      before = after;
    }
    if (method !== "torrent-remove") continue;
    await add();
    before = await look();
  }
  assert.ok(refused > 200, `${refused} of ${next} refused`);
  caller.rpc.close();
  await node.stop();
});
