import assert from "node:assert/strict";
import { test } from "node:test";
import { autoPieceLength } from "../../src/metainfo/create.ts";
import { automaticPieceSize } from "../../web/publish/piece-size.ts";

test("the publish page shows the piece size that the hub will choose", () => {
  for (let total = 1; total < 2 ** 45; total = Math.ceil(total * 1.07)) {
    assert.equal(automaticPieceSize(total), autoPieceLength(total), `${total} bytes`);
  }
});
