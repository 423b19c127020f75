/**
 * What the CPU time of one transfer over loopback goes to, by thread and by kind of work, for the seed and for the leecher:
 * `tools/run node bench/profile.ts [MIB]`. Needs perf, and the bundle of `npm run prepare`.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createTorrent, freshFolder, THIS_COPY, writeData } from "./bench-case.ts";
import { watch } from "./measure.ts";

const MIB = 1024 * 1024;
const SAMPLES_A_SECOND = 999;

/** Kinds of work by where a sample was: the first that fits counts. */
const KINDS: readonly (readonly [kind: string, dso: RegExp, symbol: RegExp])[] = [
  ["kernel: sockets", /kernel/, /tcp|skb|sock|inet|ip_|loopback|_copy_to_iter|csum/],
  ["kernel: files", /kernel/, /folio|ext4|page|block|iomap|write|read|filemap|jbd2|xfs|overlay/],
  ["kernel: other", /kernel|vdso/, /./],
  ["SHA", /node/, /sha1_|sha256_/],
  ["copies", /./, /memmove|memcpy|CopyBytes/],
  ["interpreter and built-ins", /node/, /^Builtins_/],
  ["compiled code", /perf-\d+\.map|JIT|anon/, /./],
  ["run time", /./, /./],
];

const mib = Number(process.argv[2] ?? "1024");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "everseed-profile-"));
try {
  const file = path.join(scratch, "data", "one.bin");
  writeData(file, mib * MIB);
  const torrent = createTorrent(file, path.join(scratch, "one.torrent"), ["--kind", "v1"]);
  const { everseed } = THIS_COPY;
  const listen = ["--listen", "127.0.0.1:0", "--json"];
  const seedCommand = [everseed, "seed", torrent, "--data", path.dirname(file), ...listen];
  const seed = watch(recorded("seed", seedCommand), scratch);
  const { port } = await seed.event("ready");
  const out = freshFolder(path.join(scratch, "out"));
  const peer = ["--peer", `127.0.0.1:${String(port)}`];
  const leech = watch(
    recorded("leecher", [everseed, "get", torrent, "-o", out, ...peer, ...listen]),
    scratch,
  );
  await leech.cost;
  seed.stop();
  await seed.cost;
  for (const who of ["seed", "leecher"]) for (const line of table(who)) console.log(line);
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}

function recorded(who: string, command: readonly string[]): string[] {
  const to = path.join(scratch, `${who}.perf`);
  const options = ["-q", "-F", String(SAMPLES_A_SECOND), "-e", "cpu-clock", "-o", to];
  return ["perf", "record", ...options, "--", ...command];
}

/** CPU seconds of each thread and kind of work. */
function table(who: string): string[] {
  const seconds = new Map<string, Map<string, number>>();
  const script = spawnSync(
    "perf",
    ["script", "-i", path.join(scratch, `${who}.perf`), "-F", "comm,ip,sym,dso"],
    { encoding: "utf8", maxBuffer: 1024 * MIB },
  );
  if (script.status !== 0) throw new Error(`perf script: ${script.stderr}`);
  for (const line of script.stdout.split("\n")) {
    const sample = /^\s*(\S+)\s+[0-9a-f]+ (.+) \((.*)\)$/.exec(line);
    if (!sample) continue;
    const [, thread, symbol, dso] = sample as unknown as [string, string, string, string];
    const [kind] = KINDS.find(([, inDso, named]) => inDso.test(dso) && named.test(symbol))!;
    const ofThread = seconds.get(thread) ?? new Map<string, number>();
    seconds.set(thread, ofThread);
    ofThread.set(kind, (ofThread.get(kind) ?? 0) + 1 / SAMPLES_A_SECOND);
  }
  const threads = [...seconds.keys()].filter(
    (name) => [...seconds.get(name)!.values()].reduce((sum, value) => sum + value, 0) >= 0.01,
  );
  const cell = (value: number): string => value.toFixed(2).padStart(17);
  return [
    "",
    `${who.padEnd(26)}${threads.map((name) => name.padStart(17)).join("")}`,
    ...KINDS.map(
      ([kind]) =>
        kind.padEnd(26) + threads.map((name) => cell(seconds.get(name)!.get(kind) ?? 0)).join(""),
    ),
  ];
}
