import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess } from "./everseed-process.ts";
import { talks } from "./talks.ts";

test("get does not dial a peer that an IP filter keeps away, and says which lines it cannot read", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "list.p2p"), "bad:127.0.0.1-127.0.0.1\nnonsense\n");
  const seedOn = (host: string): EverseedProcess => {
    const args = ["seed", "talks.torrent", "--data", ".", "--listen", `${host}:0`, "--json"];
    return new EverseedProcess(context, args, { cwd: folder });
  };
  const [filtered, open] = [seedOn("127.0.0.1"), seedOn("127.0.0.2")];
  const peers = [`127.0.0.1:${await filtered.port()}`, `127.0.0.2:${await open.port()}`];
  const args = ["get", "talks.torrent", "-o", "copy", "--listen", "127.0.0.2:0"];
  const named = peers.flatMap((peer) => ["--peer", peer]);
  const got = await everseed(context, [...args, "--ip-filter", "list.p2p", ...named], {
    cwd: folder,
  });
  assert.equal(got.exit, 0, got.stderr);
  assert.match(
    got.stderr,
    /warning: 1 line of the IP filter list\.p2p cannot be read, the first is line 2/,
  );
  filtered.child.kill("SIGINT");
  const { stdout } = await filtered.finished;
  assert.ok(!/"uploaded":[1-9]/.test(stdout), stdout);
});

test("an IP filter that cannot be used ends the command before it begins", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "page"), "<html>");
  const seed = (list: string) =>
    everseed(context, ["seed", "talks.torrent", "--data", ".", "--ip-filter", list], {
      cwd: folder,
    });
  const absent = await seed("gone.p2p");
  assert.equal(absent.exit, 3);
  assert.match(absent.stderr, /The IP filter gone\.p2p cannot be used: there is no such file\./);
  const page = await seed("page");
  assert.equal(page.exit, 2);
  assert.match(
    page.stderr,
    /no line of it is an address.*\n {2}Try: a list in p2p, dat or CIDR form/,
  );
});
