import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { METAINFO_BYTES_MAX } from "../../src/metainfo/parse-metainfo.ts";
import { checkTorrent } from "../../src/commands/check-torrent.ts";
import { createTorrent, type CreateOptions } from "../../src/commands/create-torrent.ts";
import { showTorrent } from "../../src/commands/show-torrent.ts";
import { diskPorts } from "../../src/daemon/disk-ports.ts";
import { filePorts } from "../../src/daemon/file-ports.ts";

const ports = { ...filePorts(), ...diskPorts() };

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "everseed-create-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function create(path: string, more: Partial<CreateOptions> = {}) {
  return createTorrent(ports, {
    path,
    file: `${path}.torrent`,
    overwrite: false,
    kind: "v1",
    pieceLength: "auto",
    dated: false,
    onEvent: () => undefined,
    signal: AbortSignal.timeout(60_000),
    ...more,
  });
}

test("MET-24: a file that changes while it is hashed makes create fail, and nothing is written", async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, "content");
  await mkdir(path);
  await writeFile(join(path, "a"), "before");
  const onEvent: CreateOptions["onEvent"] = ({ kind }) => {
    if (kind === "planned") writeFileSync(join(path, "a"), "afterwards");
  };
  await assert.rejects(create(path, { onEvent }), { code: "changed" });
  assert.deepEqual(await readdir(folder), ["content"]);
});

test("create follows a link to a file or a folder, and names the torrent after the link", async (context) => {
  const folder = await folderFor(context);
  await mkdir(join(folder, "content"));
  await writeFile(join(folder, "content/a"), "what lies there");
  await symlink("content/a", join(folder, "film"));
  await symlink("content", join(folder, "films"));
  for (const name of ["film", "films"]) {
    const made = await create(join(folder, name), { kind: "hybrid" });
    assert.match(made.magnet, new RegExp(`&dn=${name}&`));
    const checked = await checkTorrent(ports, {
      source: `${join(folder, name)}.torrent`,
      folder,
      onEvent: () => undefined,
      signal: AbortSignal.timeout(60_000),
    });
    assert.equal(checked.ok, true, JSON.stringify(checked));
  }
});

test("MET-24: an unreadable file is reported before the first byte is read", async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, "content");
  await mkdir(path);
  await writeFile(join(path, "a"), "open");
  await writeFile(join(path, "secret"), "closed", { mode: 0 });
  await chmod(folder, 0o777);
  const planned = new Error("planned");
  let skipped: unknown;
  // Root can read everything.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    const made = create(path, {
      onEvent: (event) => {
        assert.equal(event.kind, "planned");
        ({ skipped } = event.plan);
        throw planned;
      },
    });
    await assert.rejects(made, planned);
  } finally {
    if (isRoot) process.seteuid!(0);
  }
  assert.deepEqual(skipped, [{ path: "secret", why: "the system does not let this user read it" }]);
});

test("a default name leaves room for its suffix", async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, "é".repeat(127));
  await writeFile(path, "x");
  const here = process.cwd();
  process.chdir(folder);
  context.after(() => process.chdir(here));
  const { file } = await create(path, { file: undefined });
  assert.equal(file, `${"é".repeat(123)}.torrent`);
});

test("MET-24: a folder of nothing but links and sockets makes no torrent", async (context) => {
  const folder = await folderFor(context);
  await symlink("/etc/passwd", join(folder, "link"));
  await assert.rejects(create(folder), { code: "bad-plan", detail: /holds no file/ });
  await assert.rejects(create("/dev/null"), { code: "bad-plan", detail: /neither a file nor/ });
  await assert.rejects(create("/"), { code: "bad-plan", detail: /root of the file system/ });
  await assert.rejects(create(""), { code: "bad-plan", detail: /No file or folder is named/ });
});

test("a torrent does not replace a folder, nor a file unless that is requested", async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, "content");
  await writeFile(path, "x");
  for (const file of ["", folder, `${folder}/new/`]) {
    for (const overwrite of [false, true]) {
      const hint = `-o ${join(file, "content.torrent")}`;
      await assert.rejects(create(path, { file, overwrite }), { code: "bad-plan", hint });
    }
  }
  await symlink("content", join(folder, "link"));
  await assert.rejects(create(path, { file: join(folder, "link") }), { code: "exists" });
  const { file } = await create(path);
  await assert.rejects(create(path), { code: "exists" });
  assert.equal((await create(path, { overwrite: true })).file, file);
});

test("a torrent that could not be written is refused before its content is read", async (context) => {
  const folder = await folderFor(context);
  const path = join(folder, "content");
  await writeFile(path, "x");
  const onEvent = (): void => assert.fail("began to read");
  for (const overwrite of [false, true]) {
    const file = join(folder, "nowhere/content.torrent");
    await assert.rejects(create(path, { file, overwrite, onEvent }), { code: "not-found" });
  }
  await assert.rejects(create(path, { file: `${path}/content.torrent`, onEvent }), {
    code: "not-found",
    detail: /is a file, not a folder/,
  });
});

test("MET-12: a .torrent file larger than strangers may send is created and read", async (context) => {
  const path = join(await folderFor(context), "content");
  await writeFile(path, "x");
  const comment = "words ".repeat(METAINFO_BYTES_MAX / 6 + 1);
  const { file, infohashV1 } = await create(path, { comment });
  const shown = await showTorrent(ports, file);
  assert.equal(shown.infohashV1, infohashV1);
});
