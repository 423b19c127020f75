import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { TorrentDetail } from "../../src/api/torrents.ts";
import { handVersion } from "../../src/commands/hand-version.ts";
import { NO_SALT } from "../../src/dht/item.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import type { HttpCalls } from "../../src/ports/net.ts";
import { HOST, hubWorld } from "./hub-world.ts";

/** The command on the one side, a whole hub on the other. */
async function scene(t: TestContext) {
  const world = await hubWorld(t);
  const asked: string[] = [];
  const calls: HttpCalls = {
    send: async ({ method, url, headers, body }) => {
      const { pathname } = new URL(url);
      asked.push(`${method} ${pathname.replace(/^.*\//, "")}`);
      assert.doesNotMatch(String(body), new RegExp(SEED_HEX), "the secret key stays here");
      const response = await world.call(pathname, {
        method,
        headers,
        ...(body && { body }),
      } as never);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, location: undefined, body: bytes };
    },
  };
  const { authorization = "" } = await world.program();
  const key = new NodeSignatures().keyFromSeed(new Uint8Array(32).fill(9));
  const hand = async (id: string) =>
    handVersion(
      { calls, clock: world.clock },
      {
        hub: `http://${HOST}`,
        token: authorization.replace("Bearer ", ""),
        publication: { key, salt: NO_SALT },
        torrent: (await (await world.call(`/api/v1/torrents/${id}`)).json()) as TorrentDetail,
        signal: AbortSignal.timeout(60_000),
      },
    );
  return { ...world, asked, hand };
}

const SEED_HEX = "09".repeat(32);

test("publish --mutable signs each version once, and a clock behind the last number is told", async (t) => {
  const { clock, publish, hand, asked, keptItems, call, program } = await scene(t);
  const first = await publish({ a: new Uint8Array([1]) });
  const second = await publish({ b: new Uint8Array([2]) }, { kind: "v2" });
  clock.wall = 1_000_000_000;
  assert.partialDeepStrictEqual(await hand(first), { sequence: "1000000", state: "waits" });
  clock.wall += 60_000;
  assert.partialDeepStrictEqual(await hand(first), { sequence: "1000000" });
  assert.deepEqual(
    asked,
    [`GET ${first}`, "POST version", `GET ${first}`],
    "it is the newest already",
  );
  assert.partialDeepStrictEqual(await hand(second), { sequence: "1000060", newerUrl: null });
  // Back to the first content: a newer version once more.
  clock.wall += 60_000;
  assert.partialDeepStrictEqual(await hand(first), { sequence: "1000120", state: "waits" });
  assert.deepEqual(keptItems.sequences, [1000120n]);
  clock.wall -= 90_000;
  await assert.rejects(hand(second), {
    code: "exists",
    detail: /has the sequence number 1000120, and this one 1000030/,
  });
  const secret = await publish({ c: new Uint8Array([3]) }, { private: true });
  await assert.rejects(hand(secret), { code: "bad-plan", detail: /private torrent has no place/ });
  await call(`/api/v1/torrents/${first}`, { method: "DELETE", headers: await program() });
  assert.deepEqual(keptItems.sequences, []);
});
