import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "../cli/everseed-process.ts";
import { tus } from "./hub-world.ts";

// The memory that the hub may use while it receives an upload of any size.
const MEMORY_KIB_MAX = 250 * 1024;
const UPLOAD_BYTES = 512 * 1024 ** 2;
/** The largest upload that a hub accepts by default: pieces are in memory while they arrive. */
const PIECE_BYTES = 16 * 1024 ** 2;

test("STO-11: memory stays within its bound while an upload arrives, with the largest pieces", async (t) => {
  const folder = temporaryFolder(t);
  const [data, password, token] = ["data", "password", "token"].map((name) => join(folder, name));
  await writeFile(password!, "a harbour full of fog\n");
  const init = ["hub", "init", "--data", data!, "--admin", "ann", "--password-file", password!];
  const made = await everseed(t, [...init, "--token-file", token!]);
  assert.equal(made.exit, 0, made.stderr);
  const hub = new EverseedProcess(t, ["hub", "start", "--data", data!, "--port", "0", "--json"]);
  const site = `http://127.0.0.1:${await hub.port()}`;
  const authorization = `Bearer ${(await readFile(token!, "utf8")).trim()}`;
  const declared = await fetch(`${site}/api/v1/drafts`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      name: "a.bin",
      folder: false,
      files: [{ path: "a.bin", size: UPLOAD_BYTES }],
      pieceSize: PIECE_BYTES,
    }),
  });
  const { uploadPath } = (await declared.json()) as { uploadPath: string };
  const upload = request(site + uploadPath, {
    method: "PATCH",
    headers: { authorization, "content-length": UPLOAD_BYTES, ...tus(0) },
  });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    upload.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
  });
  await pipeline(Readable.from(zeros()), upload);
  assert.equal(await answered, 204);
  const status = await readFile(`/proc/${hub.child.pid}/status`, "latin1");
  const peakKib = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
  assert.ok(peakKib < MEMORY_KIB_MAX, `${peakKib} KiB at the most`);
  t.diagnostic(`${(peakKib / 1024).toFixed(0)} MiB at the most`);
});

function* zeros(): Generator<Uint8Array> {
  const part = new Uint8Array(1024 ** 2);
  for (let sent = 0; sent < UPLOAD_BYTES; sent += part.length) yield part;
}
