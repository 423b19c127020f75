import { readFileSync } from "node:fs";
import { tcpAddress } from "../../src/base/peer-address.ts";
import { wireInfohashes } from "../../src/base/infohash.ts";
import { suffixOf } from "../../src/commands/unfinished-files.ts";
import { ResumeFile } from "../../src/commands/resume-file.ts";
import { Session } from "../../src/engine/session.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeDisk } from "../../src/platform/node-disk.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";
import { TcpNet } from "../../src/platform/tcp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";

/**
 * `node download-child.ts TORRENT FOLDER PORT [suffix]`: downloads from a peer on loopback, with a resume file beside
 * it, until it is complete or killed; uses a suffix for unfinished files if one is given. It prints what it found on
 * disk to standard output.
 */
const [torrentFile, root, port, suffix] = process.argv.slice(2);
const metainfo = parseMetainfo(readFileSync(torrentFile!));
const resumeFile = new ResumeFile(
  new NodeUserFiles(),
  { root: root!, infohashes: metainfo.info.infohashes },
  (error) => {
    throw error;
  },
);
const resume = await resumeFile.load();
const disk = new NodeDisk({ workers: 1 });
let checked = 0;
const infohash = wireInfohashes(metainfo.info.infohashes)[0]!;
const session = new Session({
  ports: {
    clock: new NodeClock(),
    random: new NodeRandom(),
    transports: [new TcpNet()],
    content: {
      open: (layout) => {
        const content = disk.open(layout);
        const { judge } = content;
        const check = judge.check.bind(judge);
        judge.check = (options) => {
          checked += options.pieces.count;
          return check(options);
        };
        return content;
      },
    },
    receiveSlabs: disk.createSlabPool(16 * 1024 * 1024),
    sendSlabs: disk.createSlabPool(4 * 1024 * 1024),
    log: SILENT_LOG,
  },
  settings: { resumeIntervalMs: 1 },
});
await new Promise<void>((complete) => {
  let told = false;
  session.add({
    from: { metainfo },
    root: root!,
    mode: "download",
    unfinishedSuffix: suffix === undefined ? undefined : suffixOf,
    resume,
    peers: [tcpAddress({ address: "127.0.0.1", port: Number(port) })],
    saveResume: (state) => resumeFile.save(state),
    onEvent: (event) => {
      const torrent = session.find(infohash);
      if (!told && torrent?.have) {
        told = true;
        const found = { resumed: resume !== undefined, have: torrent.have.count, checked };
        process.stdout.write(`${JSON.stringify(found)}\n`);
      }
      if (event.kind === "complete") complete();
    },
  });
});
await session.close();
await disk.close();
await resumeFile.settle();
