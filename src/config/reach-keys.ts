import { ENCRYPTION_MODES } from "../base/encryption-mode.ts";
import { TRANSPORT_MODES } from "../base/transport-mode.ts";

/** The parts of the page "Connections" that controls stand in. */
export type ReachGroup = "ways" | "finding" | "router" | "limits";

/** How a person gives a value, on the page and behind a flag. */
export type ReachControl =
  /** One of several words. @property choices - Each with what it means, for people. */
  | { readonly kind: "choice"; readonly choices: readonly ReachChoice[] }
  /** True or false; `on` or `off` behind a flag. Without a default it is automatic. */
  | { readonly kind: "switch" }
  /** Bytes per second; 0 is no limit. A flag takes 500K, the page KiB. */
  | { readonly kind: "rate" }
  /** A whole number. */
  | { readonly kind: "count"; readonly min: number; readonly max: number }
  | { readonly kind: "text" }
  /** Texts; a flag is repeated, the page has one a line. */
  | { readonly kind: "list" };

export interface ReachChoice {
  readonly value: string;
  readonly label: string;
}

/** One key that concerns how a hub and its peers find and reach each other. */
export interface ReachKey {
  /** As in `configSchema`: `engine.encryption`. */
  readonly name: string;
  readonly group: ReachGroup;
  /** The name of its control. */
  readonly label: string;
  /** One or two sentences below the control. */
  readonly help: string;
  readonly control: ReachControl;
  /** The flag of `hub start` in commander's notation, `--up <rate>`, and its line of help. */
  readonly flag: readonly [usage: string, help: string];
}

/**
 * The keys that the page "Connections" shows, and for which `hub start` has a flag. To add one: the key in
 * `config.ts`, a line here, and the place in `daemon/` that uses it; page, API and flag follow from this table. Nothing
 * here may load zod: the command line reads it before it knows which command runs.
 */
export const REACH_KEYS: readonly ReachKey[] = [
  {
    name: "engine.encryption",
    group: "ways",
    label: "Encryption",
    help: "Hides BitTorrent from providers that slow it down. It is no secret: whoever has the link can read along.",
    control: {
      kind: "choice",
      choices: labelled(ENCRYPTION_MODES, {
        prefer: "Where the peer can",
        require: "Always; peers that cannot are refused",
        off: "Never",
      }),
    },
    flag: ["--encryption <mode>", "of streams to peers (default: prefer)"],
  },
  {
    name: "engine.transport",
    group: "ways",
    label: "Transport",
    help: "uTP steps back when the line is full, and gets through some routers that TCP does not.",
    control: {
      kind: "choice",
      choices: labelled(TRANSPORT_MODES, {
        both: "TCP and uTP, whichever opens first",
        tcp: "TCP only",
        utp: "uTP only",
      }),
    },
    flag: ["--transport <way>", "streams to peers over TCP, uTP or both (default: both)"],
  },
  {
    name: "engine.interface",
    group: "ways",
    label: "Network interface",
    help: "Traffic with peers and trackers leaves and comes in there only, and waits while it is away. Empty: any.",
    control: { kind: "text" },
    flag: ["--interface <name|address>", "leave and come in by this interface only"],
  },
  {
    name: "engine.proxy",
    group: "ways",
    label: "Proxy",
    help: "socks5://HOST:PORT or http://HOST:PORT. Peers, trackers and web seeds are reached through it only, and peers cannot connect to the hub. A login belongs in the configuration file. Empty: none.",
    control: { kind: "text" },
    flag: ["--proxy <url>", "to peers and trackers through this proxy only: socks5:// or http://"],
  },
  {
    name: "engine.ipFilters",
    group: "ways",
    label: "IP filters",
    help: "Files on the hub's machine with addresses that nothing is exchanged with: peers, DHT nodes, trackers, web seeds. One path a line: p2p, dat or CIDR.",
    control: { kind: "list" },
    flag: ["--ip-filter <file>", "addresses to keep away (p2p, dat, CIDR); repeat for more"],
  },
  {
    name: "discovery.dht",
    group: "finding",
    label: "DHT",
    help: "Peers find what is published here without a tracker. Automatic is on, unless only this machine reaches the port for peers.",
    control: { kind: "switch" },
    flag: ["--dht <on|off>", "use the DHT (default: unless only this machine reaches peers)"],
  },
  {
    name: "discovery.dhtBootstrap",
    group: "finding",
    label: "DHT nodes to begin with",
    help: "One HOST:PORT a line. Without one: well-known nodes.",
    control: { kind: "list" },
    flag: ["--dht-bootstrap <host:port>", "a DHT node to begin with; repeat for more"],
  },
  {
    name: "discovery.pex",
    group: "finding",
    label: "Peer exchange",
    help: "Connected peers tell each other of others, so that everybody finds everybody.",
    control: { kind: "switch" },
    flag: ["--pex <on|off>", "exchange peers with peers (default: on)"],
  },
  {
    name: "discovery.superSeeding",
    group: "finding",
    label: "Super-seeding",
    help: "While nobody else has everything, each peer is shown little at a time and passes it on. For a narrow line; peers may wait longer.",
    control: { kind: "switch" },
    flag: ["--super <on|off>", "show each peer little at a time, as the only seed (default: off)"],
  },
  {
    name: "discovery.lsd",
    group: "finding",
    label: "Neighbours",
    help: "Peers on the same link find each other without any server. Automatic is on, unless only this machine reaches the port for peers.",
    control: { kind: "switch" },
    flag: [
      "--lsd <on|off>",
      "look for neighbours (default: unless only this machine reaches peers)",
    ],
  },
  {
    name: "discovery.webSeeds",
    group: "finding",
    label: "Web seeds",
    help: "Torrents name this site as a source of their files: downloads are fast even with few peers. Not while only this machine reaches the site, or sending to peers is limited.",
    control: { kind: "switch" },
    flag: ["--web-seeds <on|off>", "torrents name the web site as web seed (default: on)"],
  },
  {
    name: "router.mapPorts",
    group: "router",
    label: "Port mapping",
    help: "The router passes the port for peers on to this machine (PCP, NAT-PMP or UPnP), never that of this site. Automatic is on, unless only this machine reaches the port for peers.",
    control: { kind: "switch" },
    flag: [
      "--map-ports <on|off>",
      "by the router (default: unless only this machine reaches peers)",
    ],
  },
  {
    name: "discovery.dhtQueriesPerSecond",
    group: "limits",
    label: "DHT queries a second",
    help: "What announcing everything that is published may take. A torrent needs 22 each 25 minutes, and 12 at least.",
    control: { kind: "count", min: 10, max: 10_000 },
    flag: ["--dht-queries <number>", "queries a second for announces in the DHT (default: 500)"],
  },
  {
    name: "engine.connectionsMax",
    group: "limits",
    label: "Peers connected at once",
    help: "More peers need more memory, and a router that can keep that many connections.",
    control: { kind: "count", min: 4, max: 50_000 },
    flag: ["--connections <number>", "peers connected at once (default: 500)"],
  },
  {
    name: "engine.upBytesPerSecond",
    group: "limits",
    label: "Sending to peers",
    help: "Downloads in the browser are not counted.",
    control: { kind: "rate" },
    flag: ["--up <rate>", "limit for sending to peers, such as 500K"],
  },
  {
    name: "engine.downBytesPerSecond",
    group: "limits",
    label: "Receiving from peers",
    help: "For torrents that this hub fetches, and for repairs.",
    control: { kind: "rate" },
    flag: ["--down <rate>", "limit for receiving from peers, such as 2M"],
  },
];

function labelled<Value extends string>(
  values: readonly Value[],
  labels: Readonly<Record<Value, string>>,
): readonly ReachChoice[] {
  return values.map((value) => ({ value, label: labels[value] }));
}
