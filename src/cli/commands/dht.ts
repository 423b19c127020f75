import type { Command } from "commander";
import { encodeUtf8, toHex } from "../../base/bytes.ts";
import type { Network } from "../../daemon/network.ts";
import { addCommand, addGroup, type GroupWords, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount } from "../figures.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import {
  addNetworkOptions,
  networkChoice,
  type NetworkFlags,
  networkLog,
} from "../network-options.ts";
import { infohashOption, type NamedPeer, peerOption } from "../parse-options.ts";
import { wordsLog } from "../words-log.ts";

interface DhtFlags extends OutputOptions, NetworkFlags {
  readonly bootstrap?: readonly NamedPeer[];
}

interface ItemFlags extends DhtFlags {
  readonly salt?: string;
}

interface PutFlags extends ItemFlags {
  readonly keyFile?: string;
}

const WORDS: GroupWords = {
  name: "dht",
  summary: summaryOf("dht"),
  examples: ["everseed dht status"],
};

export function addDhtCommand(program: Command): void {
  addGroup(program, WORDS, addDhtCommands);
}

function addDhtCommands(dht: Command): void {
  addDhtSubcommand(dht, {
    usage: "status",
    summary: "Join, and tell which nodes answer and how they see this machine.",
    examples: ["everseed dht status"],
  }).action((flags: DhtFlags) => status(flags));
  addDhtSubcommand(dht, {
    usage: "lookup",
    summary: "Find the peers of a torrent; nothing is announced.",
    examples: ["everseed dht lookup c12fe1c06bba254a9dc9f519b335aa7c1367a88a"],
  })
    .argument("<infohash>", "40 hexadecimal digits, or the 64 of a v2 torrent", infohashOption)
    .action((infohash: Uint8Array, flags: DhtFlags) => lookup(infohash, flags));
  addDhtSubcommand(dht, {
    usage: "get",
    summary: "Read an item.",
    examples: ["everseed dht get e5f96f6f38320f0f33959cb4d3d656452117aadb"],
  })
    .argument("<name>", "target of an immutable item, or public key of a mutable one")
    .option("--salt <text>", "which of the items of a key")
    .action((name: string, flags: ItemFlags) => get(name, flags));
  addDhtSubcommand(dht, {
    usage: "put",
    summary: "Store a text; nodes keep it for two hours.",
    examples: ["everseed dht put hello", "everseed dht put hello --key-file my.key"],
  })
    .argument("<text>", "at most 996 bytes")
    .option("--key-file <file>", "sign it with this key, which is made when it is not there")
    .option("--salt <text>", "which of the items of the key")
    .action((text: string, flags: PutFlags) => put(text, flags));
}

function addDhtSubcommand(dht: Command, words: Parameters<typeof addCommand>[1]): Command {
  return addNetworkOptions(addCommand(dht, words)).option(
    "--bootstrap <host:port>",
    "a DHT node to begin with; repeat for more",
    peerOption,
  );
}

function status(flags: DhtFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { dhtStatus } = await import("../../commands/use-dht.ts");
    using network = await openNetwork(output, flags);
    const ports = await dhtPorts(output, network);
    const { families } = await dhtStatus(ports, { ...choice(flags), signal });
    const told = families.map(({ family, isReached, good, questionable, outer, id }) => ({
      network: `IPv${family}`,
      joined: isReached,
      nodes: good + questionable,
      address: outer ?? null,
      id: toHex(id),
    }));
    output.record({ networks: told });
    for (const { network, joined, nodes, address } of told) {
      const seen = address === null ? "" : `, seen at ${address}`;
      const count = formatCount(nodes, "node");
      output.line(joined ? `${network}  ${count}${seen}` : `${network}  no node answers`);
    }
  });
}

function lookup(infohash: Uint8Array, flags: DhtFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { dhtLookup } = await import("../../commands/use-dht.ts");
    const options = { ...choice(flags), signal, infohash };
    using network = await openNetwork(output, flags);
    const found = await dhtLookup(await dhtPorts(output, network), options);
    const { addresses, seeds, leechers, queries, hops } = found;
    output.record({ peers: addresses, seeds, leechers, queries, hops: hops ?? null });
    for (const address of addresses) output.line(address);
    const estimate =
      found.nodes > 0
        ? `; about ${formatCount(seeds, "seed")} and ${formatCount(leechers, "other")}`
        : "";
    output.say(`${formatCount(addresses.length, "peer")} named${estimate}.`);
  });
}

function get(name: string, flags: ItemFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { dhtGet } = await import("../../commands/use-dht.ts");
    const options = { ...choice(flags), signal, name, salt: saltOf(flags) };
    using network = await openNetwork(output, flags);
    const ports = await dhtPorts(output, network);
    const { target, value, sequence, copies } = await dhtGet(ports, options);
    const version = sequence === undefined ? null : String(sequence);
    output.record({ target: toHex(target), value, sequence: version, copies });
    output.line(escapeOutside(typeof value === "string" ? value : JSON.stringify(value)));
  });
}

function put(text: string, flags: PutFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { dhtPut } = await import("../../commands/use-dht.ts");
    using network = await openNetwork(output, flags);
    const ports = await dhtPorts(output, network);
    const key = await keyOf(output, flags.keyFile, { ports, signal });
    const options = { ...choice(flags), signal, text, key, salt: saltOf(flags) };
    const { name, sequence, stored } = await dhtPut(ports, options);
    const version = sequence === undefined ? null : String(sequence);
    output.record({ name: toHex(name), sequence: version, stored });
    output.line(toHex(name));
    output.say(`Stored at ${formatCount(stored, "node")}. Nodes forget it after two hours.`);
  });
}

async function keyOf(
  output: Output,
  file: string | undefined,
  { ports, signal }: { readonly ports: Awaited<ReturnType<typeof dhtPorts>>; signal: AbortSignal },
) {
  if (file === undefined) return undefined;
  const { openKeyFile } = await import("../../commands/dht-key-file.ts");
  const { key, isNew, openToOthers } = await openKeyFile(ports, file, signal);
  const name = escapeOutside(file);
  if (isNew) output.say(`Made a new key in ${name}. Keep it: nobody else can replace the item.`);
  if (openToOthers) output.warn(`Other users of this machine may read ${name}.`);
  return key;
}

async function openNetwork(output: Output, flags: DhtFlags): Promise<Network> {
  const { openChosenNetwork } = await import("../../daemon/open-network.ts");
  return openChosenNetwork(networkChoice(flags, process.env), networkLog(output));
}

async function dhtPorts(output: Output, network: Network) {
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { sessionPorts } = await import("../../daemon/session-ports.ts");
  const log = wordsLog((line) => output.detail(escapeOutside(line)));
  return { ...filePorts(network), ...sessionPorts(log, { network }) };
}

function choice(flags: DhtFlags): { readonly bootstrap: readonly NamedPeer[] } {
  return { bootstrap: flags.bootstrap ?? [] };
}

function saltOf(flags: ItemFlags): Uint8Array {
  return encodeUtf8(flags.salt ?? "");
}
