import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { completionScript } from "../../src/cli/completion-scripts.ts";
import { createProgram } from "../../src/cli/program.ts";
import { configTemplate } from "../../src/config/config-template.ts";
import { OURS, serviceUnit } from "../../src/daemon/service-unit.ts";
import { manPages } from "./man-pages.ts";

export interface PackageAsked {
  readonly repository: string;
  /** An empty folder, which becomes the tree of the package. */
  readonly tree: string;
  readonly version: string;
  /** Debian's word for the machine, and Node's. */
  readonly arch: string;
  readonly machine: string;
  /** The run time. */
  readonly node: string;
  /** Seconds: the time of every file. */
  readonly epoch: number;
}

const LIBRARY = "usr/lib/everseed";
const DOCUMENTS = "usr/share/doc/everseed";
const CONFIG = "etc/everseed/everseed.yaml";
const SCRIPTS = ["postinst", "prerm", "postrm"];
const PROGRAMS = ["everseed", "vtorrent"];

/**
 * Lays the package out. The code that V8 compiled is left out: it differs from build to build, and saves 0.04 s of a start.
 */
export async function layOut(asked: PackageAsked): Promise<void> {
  const { repository, tree, version, machine, epoch } = asked;
  const put = (path: string, text: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
    chmodSync(join(tree, path), mode);
  };
  const packed = (path: string, text: string | Uint8Array): void =>
    put(`${path}.gz`, gzipSync(text, { level: 9 }));
  const copy = (from: string, to: string, isWanted?: (path: string) => boolean): void =>
    cpSync(join(repository, from), join(tree, to), { recursive: true, filter: isWanted });

  mkdirSync(join(tree, LIBRARY), { recursive: true });
  for (const name of [...PROGRAMS, "run-time.sh"]) copy(`bin/${name}`, `${LIBRARY}/bin/${name}`);
  copy(`bin/libatomic/${machine}`, `${LIBRARY}/bin/libatomic/${machine}`);
  copy("dist/program", `${LIBRARY}/dist/program`, (path) => !/\.code$|\/sources$/.test(path));
  copy("web/dist", `${LIBRARY}/web/dist`);
  const run = `${LIBRARY}/node_modules/node-linux-${machine}/bin`;
  mkdirSync(join(tree, run), { recursive: true });
  cpSync(asked.node, join(tree, run, "node"));
  mkdirSync(join(tree, "usr/bin"));
  for (const name of PROGRAMS)
    symlinkSync(`../lib/everseed/bin/${name}`, join(tree, "usr/bin", name));

  const unit = (isSystem: boolean): string =>
    serviceUnit({ program: "/usr/bin/everseed", isSystem }).replace(
      OURS,
      "# Of the package everseed.",
    );
  put("usr/lib/systemd/system/everseed.service", unit(true));
  put("usr/lib/systemd/user/everseed.service", unit(false));
  put(CONFIG, configTemplate("node"));

  const date = new Date(epoch * 1_000).toISOString().slice(0, 10);
  for (const { path, text } of manPages(await createProgram(), { version, date })) {
    packed(`usr/share/man/${path}`, text);
  }
  put("usr/share/bash-completion/completions/everseed", completionScript("bash"));
  put("usr/share/zsh/vendor-completions/_everseed", completionScript("zsh"));
  put("usr/share/fish/vendor_completions.d/everseed.fish", completionScript("fish"));

  const text = (path: string): string => readFileSync(join(repository, path), "utf8");
  put(`${DOCUMENTS}/copyright`, copyright(text("LICENSE")));
  packed(`${DOCUMENTS}/changelog`, changelog(asked));
  packed(`${DOCUMENTS}/CHANGELOG.md`, text("CHANGELOG.md"));
  packed(`${DOCUMENTS}/THIRD-PARTY-NOTICES.txt`, text("dist/THIRD-PARTY-NOTICES.txt"));
  packed(`${DOCUMENTS}/NODE-LICENSE.txt`, readFileSync(join(dirname(asked.node), "../LICENSE")));
  put(`${DOCUMENTS}/README.Debian`, text("tools/deb/README.Debian"));

  // The settings of everybody are not ours to judge: only what the package holds counts.
  const files = [...filesIn(tree)];
  const sums = files.filter((path) => path !== CONFIG).map((path) => sumOf(tree, path));
  const bytes = files.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0);
  put("DEBIAN/md5sums", sums.join(""));
  put("DEBIAN/conffiles", `/${CONFIG}\n`);
  put("DEBIAN/control", control(asked, Math.ceil(bytes / 1024)));
  for (const name of SCRIPTS) put(`DEBIAN/${name}`, text(`tools/deb/scripts/${name}`), 0o755);
  settle(tree, epoch);
}

/** Debian's own form; what changed is in the other file. */
function changelog({ version, epoch }: PackageAsked): string {
  const time = new Date(epoch * 1_000).toUTCString().replace("GMT", "+0000");
  return `everseed (${version}) stable; urgency=medium

  * See CHANGELOG.md.gz in this folder.

 -- ${maintainer()}  ${time}
`;
}

/** Whoever builds a package for others names himself, in the variables of Debian's tools. */
function maintainer(): string {
  return `${process.env["DEBFULLNAME"] ?? "Everseed"} <${process.env["DEBEMAIL"] ?? "everseed@localhost"}>`;
}

function control({ version, arch }: PackageAsked, kibibytes: number): string {
  return `Package: everseed
Version: ${version}
Architecture: ${arch}
Maintainer: ${maintainer()}
Installed-Size: ${kibibytes}
Pre-Depends: init-system-helpers (>= 1.54)
Depends: adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6
Section: net
Priority: optional
Description: publish, track, seed and fetch torrents
 One program that keeps torrents in the background (a node), is a web site with
 a tracker and a seed that never sleeps (a hub), and creates, downloads, seeds
 and checks torrents from the command line. BitTorrent v1, v2 and hybrid, over
 TCP and uTP, with DHT, peer exchange, encryption and web seeds.
 .
 The package holds its run time: installing it fetches nothing.
`;
}

function copyright(licence: string): string {
  const [first = "", ...rest] = licence.trim().split("\n");
  const holder =
    /^Copyright.*$/m.exec(licence)?.[0].replace(/^Copyright\s*(\([cC]\)\s*)?/, "") ?? first;
  const body = [first, ...rest].map((line) => (line === "" ? " ." : ` ${line}`)).join("\n");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Everseed
Comment: The program is one bundle with packages of others. Their licences are in
 THIRD-PARTY-NOTICES.txt.gz, that of the run time Node.js is in
 NODE-LICENSE.txt.gz, both in this folder.

Files: *
Copyright: ${holder}
License: BSD-3-Clause
${body}
`;
}

/** Every file of the package, sorted, without those of `DEBIAN`, links and folders. */
function* filesIn(tree: string): Generator<string> {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)));
  yield* paths.toSorted();
}

function sumOf(tree: string, path: string): string {
  const sum = createHash("md5").update(readFileSync(join(tree, path)));
  return `${sum.digest("hex")}  ${path}\n`;
}

/** The rights and times of everything: those of the machine that builds it must not matter. */
function settle(tree: string, epoch: number): void {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
    lutimesSync(path, epoch, epoch);
  }
  chmodSync(tree, 0o755);
  // A folder changes when something is put into it: its time comes last.
  for (const entry of entries.toReversed()) {
    lutimesSync(join(entry.parentPath, entry.name), epoch, epoch);
  }
  lutimesSync(tree, epoch, epoch);
}
