import assert from "node:assert/strict";
import { test } from "node:test";
import { targets as broken } from "./fixtures/broken-targets.ts";
import { runTarget } from "./fuzz-job.ts";
import { fuzz } from "./fuzz.ts";
import { Mutator } from "./mutator.ts";
import { targets as announce } from "./targets/announce.ts";
import { targets as bencode } from "./targets/bencode.ts";
import { targets as engine } from "./targets/engine.ts";
import { targets as guard } from "./targets/guard.ts";
import { targets as metadata } from "./targets/metadata.ts";
import { targets as metainfo } from "./targets/metainfo.ts";
import { targets as platform } from "./targets/platform.ts";
import { targets as proxy } from "./targets/proxy.ts";
import { targets as publish } from "./targets/publish.ts";
import { targets as tracker } from "./targets/tracker.ts";
import { targets as webSeed } from "./targets/web-seed.ts";
import { targets as wire } from "./targets/wire.ts";

const MINUS = 0x2d;

test("an error that is not a refusal is a crash, with its input", () => {
  const [throws] = broken;
  const { crash } = fuzz(throws!, { seed: 1, goOn: (executions) => executions < 100_000 });
  assert.ok(crash && crash.error instanceof TypeError);
  assert.ok(crash.input.includes(MINUS));
});

test("an execution that never ends is a crash, with its input", async () => {
  const report = await runTarget({
    moduleUrl: new URL("./fixtures/broken-targets.ts", import.meta.url).href,
    target: "hangs",
    seed: 1,
    seconds: 60,
    hangMs: 300,
  });
  assert.match(report.crash!.error, /no answer/);
  assert.ok(report.crash!.input.includes(MINUS));
});

test("the same seed makes the same inputs", () => {
  const corpus = [new Uint8Array([1, 2, 3]), new TextEncoder().encode("d1:ai12345ee")];
  const [a, b, other] = [7, 7, 8].map((seed) => {
    const mutator = new Mutator(corpus, seed);
    return Array.from({ length: 500 }, () => mutator.next().join());
  });
  assert.deepEqual(a, b);
  assert.notDeepEqual(a, other);
});

// Crashes that were found are tests of their room; these runs look for new ones, the same each time.
const RUNS = [
  ["BEN-14: one million mutations of bencode", bencode[0]!, 1_000_000],
  ["BEN-14: and of its lax mode", bencode[1]!, 100_000],
  ["BEN-14: and of documents from outside", bencode[2]!, 100_000],
  ["MET-11: mutated torrents are parsed or refused", metainfo[0]!, 50_000],
  ["MET-11: mutated info dictionaries are parsed or refused", metainfo[1]!, 50_000],
  ["MET-20: mutated magnet links are parsed or refused", metainfo[2]!, 50_000],
  ["TRK-4: mutated announces are parsed or refused", announce[0]!, 100_000],
  ["TRK-7: mutated scrapes are parsed or refused", announce[1]!, 50_000],
  ["TRK-19: mutated replies of trackers are read or refused", announce[2]!, 50_000],
  ["TRK-9: mutated packets of UDP trackers are read or refused", announce[3]!, 50_000],
  ["WIR-1: mutated streams of peers say the same however they are cut", wire[0]!, 50_000],
  ["WIR-2: mutated handshakes are read or refused", wire[1]!, 50_000],
  ["WIR-9: mutated extension handshakes are read or refused", wire[2]!, 50_000],
  ["WIR-10: mutated ut_metadata messages are read or refused", wire[3]!, 50_000],
  ["WIR-4: mutated lt_donthave messages are read or refused", wire[4]!, 50_000],
  [
    "WIR-10: liars never spoil a magnet's metadata, nor get an honest peer blamed",
    metadata[0]!,
    5_000,
  ],
  ["STO-3: mutated resume files are read or refused", engine[0]!, 30_000],
  ["STO-3: mutated snapshots of swarms restore whole peers or none", tracker[0]!, 10_000],
  ["WSD-1: mutated headers of web seeds are read or refused", webSeed[0]!, 20_000],
  ["WSD-1: mutated replies of web seeds read the same in packets of any size", webSeed[1]!, 20_000],
  ["mutated HTTP replies of trackers read the same in packets of any size", platform[0]!, 20_000],
  ["house rule 2: mutated IP filters say the same however they are cut", guard[0]!, 20_000],
  ["house rule 2: mutated answers of SOCKS proxies", proxy[0]!, 30_000],
  ["house rule 2: mutated answers of HTTP proxies", proxy[1]!, 30_000],
  ["house rule 2: mutated datagrams of SOCKS relays", proxy[2]!, 30_000],
  ["mutated journals of uploads are believed up to the first wrong record", publish[0]!, 30_000],
] as const;

for (const [name, target, count] of RUNS) {
  test(name, () => {
    const result = fuzz(target, { seed: 20_261_120, goOn: (executions) => executions < count });
    assert.equal(result.crash, undefined, Buffer.from(result.crash?.input ?? []).toString("hex"));
    assert.equal(result.executions, count);
    assert.ok(result.accepted > 0);
  });
}
