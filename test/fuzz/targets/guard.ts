import { encodeUtf8 } from "../../../src/base/bytes.ts";
import { finish } from "../../../src/base/work.ts";
import { FilterError } from "../../../src/guard/filter-error.ts";
import { type FilterFacts, FilterReader } from "../../../src/guard/filter-reader.ts";
import { IpRangesBuilder } from "../../../src/guard/ip-ranges.ts";
import type { FuzzTarget } from "../target.ts";

function read(parts: readonly Uint8Array[]): { facts: FilterFacts; ranges: number } {
  const builder = new IpRangesBuilder();
  const reader = new FilterReader(builder);
  for (const part of parts) reader.push(part);
  const facts = reader.finish();
  return { facts, ranges: finish(builder.build()).count };
}

const filter: FuzzTarget = {
  name: "ip-filter",
  corpus: [
    "org:1.2.3.4-1.2.3.9\nsix:2001:db8::-2001:db8::ff\n:9.9.9.9-9.9.9.10",
    "001.009.096.105 - 001.009.096.105 , 000 , words\r\n1.0.0.0 , 1.0.0.9 , 200 , allowed\r\n",
    "# words\n1.2.3.0/24 ; why\n2001:db8::/32\n::ffff:1.2.3.4\n",
  ].map(encodeUtf8),
  refusals: [FilterError],
  run: (input) => {
    const whole = read([input]);
    const half = input.length >>> 1;
    const cut = read([input.subarray(0, half), input.subarray(half)]);
    if (JSON.stringify(whole) !== JSON.stringify(cut)) throw new Error("cuts change what it says");
    if (whole.ranges > whole.facts.ranges) throw new Error("ranges out of nothing");
  },
};

export const targets: readonly FuzzTarget[] = [filter];
