import assert from "node:assert/strict";
import { test } from "node:test";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { filesWithoutLayer } from "./known-layers.ts";

test("only files of more than one piece, and only in v2, need a layer", () => {
  for (const kind of ["v2", "hybrid", "v1"] as const) {
    for (const length of [5, 40_000]) {
      const file = { path: [], length };
      const plan = planTorrent({ name: "n", kind, pieceLength: 16_384, files: [file] });
      const count = plan.geometry.pieceCount;
      const hashes = { v1: new Uint8Array(count * 20), v2: new Uint8Array(count * 32).fill(1) };
      const whole = parseMetainfo(buildMetainfo(plan, hashes).torrent);
      assert.deepEqual([...filesWithoutLayer(whole)], []);
      const bare = { ...whole, pieceLayers: new Map<string, Uint8Array>() };
      const lacks = kind === "v2" && length > 16_384;
      assert.deepEqual([...filesWithoutLayer(bare)], lacks ? [0] : [], `${kind} ${length}`);
    }
  }
});
