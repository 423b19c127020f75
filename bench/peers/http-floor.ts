/**
 * What fetching a file costs in Node at the least: `node:http`, SHA-1 of each piece, and writing it. For the bench:
 * `http-floor.ts URL FILE`.
 */
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";

const PIECE_BYTES = 256 * 1024;

const [url = "", file = ""] = process.argv.slice(2);
const out = fs.openSync(file, "w");
let hash: Hash = createHash("sha1");
let left = PIECE_BYTES;

http.get(url, (response) => {
  response.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(left, chunk.length - at);
      hash.update(chunk.subarray(at, at + count));
      at += count;
      left -= count;
      if (left > 0) continue;
      hash.digest();
      hash = createHash("sha1");
      left = PIECE_BYTES;
    }
    fs.writeSync(out, chunk);
  });
  response.on("end", () => fs.closeSync(out));
});
