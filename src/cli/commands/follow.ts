import { type Command, Option } from "commander";
import { encodeUtf8, toHex } from "../../base/bytes.ts";
import type { EncryptionMode } from "../../base/encryption-mode.ts";
import type { TransportMode } from "../../base/transport-mode.ts";
import type { FollowEvent } from "../../commands/follow-publication.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { isOn, lsdOption, type OnOff, pexOption } from "../discovery-options.ts";
import { encryptionOption } from "../encryption-option.ts";
import { formatCount } from "../figures.ts";
import {
  addNetworkOptions,
  networkChoice,
  type NetworkFlags,
  networkLog,
} from "../network-options.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import {
  type ListenAddress,
  listenOption,
  type NamedPeer,
  peerOption,
  rateOption,
  trackerOption,
  trackersOfVariable,
} from "../parse-options.ts";
import { transportOption } from "../transport-option.ts";
import { WorkProgress } from "../work-progress.ts";
import { wordsLog } from "../words-log.ts";
import { tellGet } from "./get.ts";
import { tellSeed } from "./seed.ts";

interface FollowFlags extends OutputOptions, NetworkFlags {
  readonly out: string;
  readonly once?: boolean;
  readonly salt?: string;
  readonly seed?: boolean;
  readonly deleteOlder?: boolean;
  readonly listen?: ListenAddress;
  readonly encryption?: EncryptionMode;
  readonly transport?: TransportMode;
  readonly peer?: readonly NamedPeer[];
  readonly tracker?: readonly string[];
  readonly pex?: OnOff;
  readonly lsd?: OnOff;
  readonly dhtBootstrap?: readonly NamedPeer[];
  readonly down?: number;
  readonly up?: number;
}

export function addFollowCommand(program: Command): void {
  const command = addCommand(program, {
    usage: "follow",
    summary: summaryOf("follow"),
    examples: [
      "everseed follow 'magnet:?xs=urn:btpk:...' -o ~/talks",
      "everseed follow 'magnet:?xs=urn:btpk:...' -o ~/talks --once",
    ],
  })
    .argument("<publication>", "a link with xs=urn:btpk:, or the 64 digits of its key")
    .option("-o, --out <dir>", "where to put it", ".")
    .option("--once", "fetch the newest version and end, instead of waiting for the next")
    .option("--seed", "serve the version that is there to others")
    .option(
      "--delete-older",
      "delete what a newer version lacks; by default it moves to NAME.older",
    )
    .option("--salt <text>", "which of the publications of a key; a link says it itself")
    .addOption(new Option("--listen <host:port>", "where peers connect to").argParser(listenOption))
    .addOption(encryptionOption())
    .addOption(transportOption())
    .option("--peer <host:port>", "a peer to ask first; repeat for more", peerOption)
    .option("--tracker <url>", "one more tracker to ask; repeat for more", trackerOption)
    .option("--dht-bootstrap <host:port>", "a DHT node to begin with; repeat for more", peerOption)
    .addOption(pexOption())
    .addOption(lsdOption())
    .addOption(new Option("--down <rate>", "limit for receiving, such as 2M").argParser(rateOption))
    .addOption(new Option("--up <rate>", "limit for sending, such as 500K").argParser(rateOption));
  addNetworkOptions(command).action((publication: string, flags: FollowFlags) =>
    follow(publication, flags),
  );
}

function follow(publication: string, flags: FollowFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { followPublication } = await import("../../commands/follow-publication.ts");
    const { readPublicationName } = await import("../../commands/publication-link.ts");
    const { filePorts } = await import("../../daemon/file-ports.ts");
    const { openChosenNetwork } = await import("../../daemon/open-network.ts");
    const { sessionPorts } = await import("../../daemon/session-ports.ts");
    const log = wordsLog((line) => output.detail(escapeOutside(line)));
    const hashing = new WorkProgress(output.progress, "Hashing");
    const salt = flags.salt === undefined ? undefined : encodeUtf8(flags.salt);
    using network = await openChosenNetwork(networkChoice(flags, process.env), networkLog(output));
    await followPublication(
      { ...filePorts(network), ...sessionPorts(log, { network }) },
      {
        publication: readPublicationName(publication, salt),
        folder: flags.out,
        once: flags.once ?? false,
        seeds: flags.seed ?? false,
        deletesOlder: flags.deleteOlder ?? false,
        dht: { bootstrap: flags.dhtBootstrap ?? [] },
        listen: flags.listen,
        encryption: flags.encryption ?? "prefer",
        transport: flags.transport ?? "both",
        pex: flags.pex !== "off",
        lsd: isOn(flags.lsd),
        peers: flags.peer ?? [],
        trackers: flags.tracker ?? trackersOfVariable(process.env),
        downBytesPerSecond: flags.down,
        upBytesPerSecond: flags.up,
        signal,
        onEvent: (event) => tell(output, hashing, event),
      },
    );
  });
}

function tell(output: Output, hashing: WorkProgress, event: FollowEvent): void {
  switch (event.kind) {
    case "here": {
      const [sequence, name] = [String(event.sequence), event.name];
      output.record({ event: "here", sequence, name });
      output.say(`Version ${sequence} is here: ${escapeOutside(name)}. Looking for a newer one.`);
      break;
    }
    case "unknown": {
      const { answered } = event;
      output.record({ event: "unknown", answered });
      const what = answered ? "The DHT has no version yet" : "No DHT node answers yet";
      output.warn(`${what}; it is asked again.`);
      break;
    }
    case "version": {
      const sequence = String(event.sequence);
      const { v1, v2 } = event.infohashes;
      const infohashes = { infohashV1: v1 ? toHex(v1) : null, infohashV2: v2 ? toHex(v2) : null };
      output.record({ event: "version", sequence, ...infohashes });
      output.say(`Version ${sequence} is published, and fetched now.`);
      break;
    }
    case "finding":
      output.progress.update({
        doing: "Finding details",
        parts: [formatCount(event.peers, "peer")],
      });
      break;
    case "get":
      tellDownload(output, event.event);
      break;
    case "placed": {
      const { name, files, older } = event;
      const sequence = String(event.sequence);
      output.record({ event: "placed", sequence, name, files, older: older ?? null });
      const what = `${escapeOutside(name)}, ${formatCount(files, "file")}`;
      output.line(`Version ${sequence} is here: ${what}`);
      if (older !== undefined) {
        output.say(`What it does not have any more is in ${escapeOutside(older)}.`);
      }
      break;
    }
    case "newest": {
      const sequence = String(event.sequence);
      output.record({ event: "newest", sequence });
      output.line(`Version ${sequence} is the newest.`);
      break;
    }
    case "seed":
      tellSeed(output, hashing, event.event);
      break;
    case "trouble":
      output.record({ event: "trouble", message: event.message });
      output.warn(escapeOutside(event.message));
      break;
  }
}

/** A download is one step here: where its files lie meanwhile, and that it ends without seeding, is no news. */
function tellDownload(output: Output, event: Extract<FollowEvent, { kind: "get" }>["event"]): void {
  if (event.kind === "known") {
    const { name, files, bytes } = event;
    output.record({ event: "metadata", name, files, bytes });
  } else if (event.kind === "done") {
    const { bytes, downloaded, seconds } = event;
    output.record({ event: "done", bytes, downloaded, seconds });
  } else if (event.kind !== "ready") {
    tellGet(output, event);
  }
}
