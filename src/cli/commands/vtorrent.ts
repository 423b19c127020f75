import { existsSync } from "node:fs";
import { type Command, Help } from "commander";
import { VERSION } from "../../base/version.ts";
import { addCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { kindOption } from "../kind-option.ts";
import type { OutputOptions } from "../output.ts";
import { trackerOption } from "../parse-options.ts";
import { create } from "./create.ts";
import { get } from "./get.ts";

/** The flags of vTorrent's own command line, beside those of every command of ours. */
interface VtorrentFlags extends OutputOptions {
  readonly path: string;
  readonly cname?: string;
  readonly tracker?: readonly string[];
}

const OWN_FLAGS: Readonly<Record<string, string>> = {
  "--help": "-h, --help",
  "--version": "--version",
  "--path": "--path PATH",
  "--cname": "-cname CNAME",
  "--tracker": "--tracker TRACKER",
};
const USAGE = "vtorrent [-h] [--path PATH] [-cname CNAME] [--tracker TRACKER] torrent";

/** `everseed vtorrent`, which bin/vtorrent runs: the command line of vTorrent, by `get` and `create`. */
export function addVtorrentCommand(program: Command): void {
  addCommand(program, {
    usage: "vtorrent",
    summary: summaryOf("vtorrent"),
    examples: [
      "vtorrent talks.torrent --path ~/Downloads",
      "vtorrent -cname talks.torrent --tracker http://192.168.1.4:8080/announce talks.mp4",
    ],
    isHidden: true,
  })
    .version(`vtorrent v${VERSION}`, "--version", "show the version line")
    .argument(
      "<torrent>",
      "what get takes: a .torrent file, a magnet link, a URL; with -cname a file",
    )
    .option("--path <dir>", "folder for what is downloaded", "./downloads")
    .option("--cname <file>", "make this .torrent file of a normal file or folder")
    .option("--tracker <url>", "such as http://host:port/announce; repeat for more", trackerOption)
    .configureHelp({
      commandUsage: () => USAGE,
      optionTerm: ({ long }) => OWN_FLAGS[long ?? ""] ?? "",
      visibleOptions: (command) =>
        new Help()
          .visibleOptions(command)
          .filter(({ long }) => Object.hasOwn(OWN_FLAGS, long ?? "")),
    })
    .addHelpText("beforeAll", `vtorrent v${VERSION}\n`)
    .action((torrent: string, flags: VtorrentFlags) =>
      flags.cname === undefined ? download(torrent, flags) : convert(torrent, flags.cname, flags),
    );
}

function download(torrent: string, flags: VtorrentFlags): Promise<void> {
  return get(torrent, { ...flags, out: flags.path });
}

/** One of both is there: the file that is converted. */
function convert(torrent: string, cname: string, flags: VtorrentFlags): Promise<void> {
  const isTurned = !existsSync(torrent) && existsSync(cname);
  const [content, name] = isTurned ? [cname, torrent] : [torrent, cname];
  return create(content, {
    ...flags,
    out: name.endsWith(".torrent") ? name : `${name}.torrent`,
    kind: kindOption().defaultValue as "v1",
    pieceSize: "auto",
    date: true,
  });
}
