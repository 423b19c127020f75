import type { Command } from "commander";
import { encodeUtf8 } from "../base/bytes.ts";
import { nameOf } from "../base/paths.ts";
import type { TorrentVersion } from "../api/versions.ts";
import type { KeyPorts } from "../commands/dht-key-file.ts";
import type { PublicationEvent } from "../commands/publish-version.ts";
import type { SigningKey } from "../ports/signatures.ts";
import type { CommandRun } from "./command-frame.ts";
import { formatCount } from "./figures.ts";
import type { Output } from "./output.ts";
import { escapeOutside } from "./outside-text.ts";
import { UsageError } from "./usage-error.ts";

/** Options of a command that publishes versions under a key (BEP 46). */
export interface PublicationFlags {
  readonly mutable?: boolean;
  readonly keyFile?: string;
  readonly salt?: string;
}

export function addPublicationOptions(command: Command): Command {
  return command
    .option("--mutable", "newer versions will follow under one link, found by a key in the DHT")
    .option("--key-file <file>", "with --mutable: its key, made when absent (default: NAME.key)")
    .option("--salt <text>", "with --mutable: which of the publications of the key");
}

/**
 * The key and the salt that the options name; a key file that is not there is made.
 *
 * @param path - What is published; it gives the key file its name.
 * @returns `undefined` without `--mutable`.
 */
export async function publicationOf(
  { output, signal }: CommandRun,
  ports: KeyPorts,
  {
    path,
    flags,
    help,
  }: { readonly path: string; readonly flags: PublicationFlags; readonly help: string },
): Promise<{ readonly key: SigningKey; readonly salt: Uint8Array } | undefined> {
  if (flags.mutable !== true) {
    if (flags.keyFile === undefined && flags.salt === undefined) return undefined;
    throw new UsageError("--key-file and --salt go with --mutable.", help);
  }
  const salt = encodeUtf8(flags.salt ?? "");
  const { refuseSalt } = await import("../commands/publish-version.ts");
  refuseSalt(salt);
  const file =
    flags.keyFile ?? `${nameOf(ports.files.absolute(path)).replace(/\.torrent$/i, "")}.key`;
  const { openKeyFile } = await import("../commands/dht-key-file.ts");
  const { key, isNew, openToOthers } = await openKeyFile(ports, file, signal);
  const name = escapeOutside(file);
  if (isNew) {
    output.say(
      `Made a new key in ${name}. Keep it: without it nobody can publish a newer version.`,
    );
  }
  if (openToOthers) output.warn(`Other users of this machine may read ${name}.`);
  return { key, salt };
}

/** Tells the link of a version that a hub has taken, and what the hub does for it. */
export function tellHandedVersion(
  output: Output,
  { link, sequence, state }: Pick<TorrentVersion, "link" | "sequence" | "state">,
): void {
  output.line(`Follow     ${link}`);
  if (state === "off") {
    output.warn(
      "the DHT of this hub is off, so nobody finds the link by it. The key discovery.dht turns it on",
    );
  } else if (state === "older") {
    output.warn("the DHT has a newer version of this publication, from somebody with the same key");
  } else {
    output.say(`Version ${escapeOutside(sequence)}: the hub keeps the link alive in the DHT.`);
  }
}

/** Tells what becomes of a version in the DHT. */
export function tellPublication(output: Output, event: PublicationEvent): void {
  switch (event.kind) {
    case "version-stored": {
      const { link, nodes } = event;
      const sequence = String(event.sequence);
      output.record({ event: "version-stored", link, sequence, nodes });
      output.line(`Follow  ${link}`);
      output.say(`Version ${sequence} is stored at ${formatCount(nodes, "DHT node")}.`);
      break;
    }
    case "version-not-stored": {
      const { why } = event;
      output.record({ event: "version-not-stored", why: why ?? null });
      const reason = why === undefined ? "No node answers" : `The nodes say: ${escapeOutside(why)}`;
      output.warn(`The DHT has not taken the version yet. ${reason}. It is tried again.`);
      break;
    }
    case "version-superseded": {
      const sequence = String(event.sequence);
      output.record({ event: "version-superseded", sequence });
      output.warn(`Somebody with the same key has published a newer version, ${sequence}.`);
      break;
    }
  }
}
