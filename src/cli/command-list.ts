/** A line of the list of all commands. */
export interface ListedCommand {
  /** What its help says after the name: arguments in commander's notation. */
  readonly takes?: string;
  readonly summary: string;
  /** It has commands of its own. */
  readonly isGroup?: boolean;
  /** The list leaves it out. */
  readonly isHidden?: boolean;
}

/** Every command of the program, in the order of the list. */
export const COMMANDS = {
  hub: { summary: "Run a hub: web site, tracker and everseed.", isGroup: true },
  daemon: { summary: "Run a node in the background: it keeps your torrents.", isGroup: true },
  config: { summary: "Show and change the settings of the node, or of a hub.", isGroup: true },
  add: {
    takes: "<source...>",
    summary: "Add torrents to the node on this machine, which downloads and seeds them.",
  },
  ls: { summary: "List the torrents that the node on this machine keeps." },
  watch: { summary: "Tell what happens to the torrents of the node, until Ctrl-C." },
  start: { takes: "<id...>", summary: "Go on with torrents that are stopped or have failed." },
  stop: { takes: "<id...>", summary: "Stop torrents until they are started." },
  recheck: {
    takes: "<id...>",
    summary: "Compare the content of torrents with their hashes; what is wrong is fetched again.",
  },
  rm: { takes: "<id...>", summary: "Forget torrents. Their files stay unless you say otherwise." },
  move: {
    takes: "<id> <dir>",
    summary: "Move the content of a torrent to another folder, or another disk.",
  },
  set: {
    takes: "<id...>",
    summary: "Set limits, the label, or the place in the queue of torrents.",
  },
  limits: { summary: "Show what holds for all torrents, or for those with a label, or set it." },
  files: {
    takes: "<id>",
    summary: "Show the files of a torrent, or choose which of them are fetched.",
  },
  peers: { takes: "<id>", summary: "Show who a torrent is exchanged with, or name a peer." },
  trackers: {
    takes: "<id>",
    summary: "Show the trackers of a torrent and what they say, or change them.",
  },
  transfers: {
    summary: "The torrents that the node on this machine keeps.",
    isGroup: true,
    isHidden: true,
  },
  publish: {
    takes: "<path>",
    summary: "Have a hub publish a file, a folder, or a torrent that others made.",
  },
  unpublish: {
    takes: "<url>",
    summary: "Take back what was published on a hub; for seven days that can be undone.",
  },
  create: { takes: "<path>", summary: "Make a .torrent file of a file or folder." },
  get: { takes: "<torrent>", summary: "Download a torrent; run it again to continue." },
  follow: {
    takes: "<publication>",
    summary: "Keep the newest version of a publication in a folder, until Ctrl-C.",
  },
  seed: { takes: "<source...>", summary: "Serve files to everybody who asks, until Ctrl-C." },
  show: {
    takes: "<torrent>",
    summary: "Show what a torrent or magnet link says, or how one of the node's torrents is doing.",
  },
  check: {
    takes: "<torrent> <dir>",
    summary: "Compare files with their torrent, byte by byte.",
  },
  dht: { summary: "Ask the DHT: peers of torrents, and small items.", isGroup: true },
  doctor: { summary: "Look for what keeps a node from working, and say what to do." },
  completion: {
    summary: "Have the Tab key complete commands, options, ids, labels and keys.",
    isGroup: true,
  },
  version: { summary: "Show the version of everseed." },
  vtorrent: {
    takes: "<torrent>",
    summary: "Download a torrent, or make one with -cname.",
    isHidden: true,
  },
} as const satisfies Readonly<Record<string, ListedCommand>>;

export type CommandName = keyof typeof COMMANDS;

/** What the list of all commands and the help of a command say of it. */
export function summaryOf(name: CommandName): string {
  return COMMANDS[name].summary;
}
