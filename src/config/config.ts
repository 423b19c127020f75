import { z } from "zod";
import { TRANSPORT_MODES } from "../base/transport-mode.ts";
import { note } from "./key-note.ts";
import { transfersSection, webhookSection } from "./transfer-sections.ts";

const PORT_TAKES = "a whole number from 0 to 65535; 0 lets the system choose";
const MEBIBYTE = 1024 * 1024;

/** Free on Debian, and next to each other: 8420 for the web and, over UDP, for announces; 8421 for peers. */
const WEB_PORT = 8420;
export const PEER_PORT = 8421;

const port = () => z.number().int().min(0).max(65_535);
const bytesPerSecond = () => z.number().int().min(0);
/** `HOST:PORT`, or `[IPV6]:PORT`. */
const hostPort = () =>
  z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):[0-9]{1,5}$/, "It is not HOST:PORT.");

/**
 * Everything a person may configure: defaults, limits and, in `meta`, their descriptions. `load-config.ts` loads it,
 * `config-template.ts` writes it out with comments.
 */
export const configSchema = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .default("")
    .meta(note("Folder for everything: database, content, keys.", "the path of a folder")),
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .meta(
      note(
        "Address the web site listens on. 127.0.0.1 is this machine only, 0.0.0.0 everybody.",
        "an address of this machine",
      ),
    ),
  port: port().default(WEB_PORT).meta(note("Port of the web site.", PORT_TAKES)),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .superRefine(demandWholeSite)
    .optional()
    .meta(
      note(
        "How people reach the web site from outside, when a proxy stands in front of it.",
        "a URL like https://hub.example, without a path",
      ),
    ),
  allowedHosts: z
    .array(z.string().min(1))
    .default([])
    .meta(
      note(
        "Host names the web site answers to, besides its own address and publicUrl.",
        "a list of names like [hub.example, hub.lan]",
      ),
    ),
  proxies: z
    .array(z.string().min(1))
    .default([])
    .meta(
      note(
        "Addresses of proxies of yours in front of the web site; their X-Forwarded-For is believed.",
        "a list of addresses like [127.0.0.1]",
      ),
    ),
  siteName: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta(
      note(
        "Name shown at the top of each page; the host name until somebody chooses one.",
        "1 to 100 characters",
      ),
    ),
  services: z
    .strictObject({
      site: z
        .boolean()
        .default(true)
        .meta(
          note(
            "The web site with what is published there, and the everseed that keeps it.",
            "true or false; a hub always has it",
          ),
        ),
      tracker: z
        .boolean()
        .default(true)
        .meta(
          note(
            "The tracker, over UDP and on the web port. False: what is published is found through the DHT alone.",
            "true or false",
          ),
        ),
      transfers: z
        .boolean()
        .default(true)
        .meta(
          note(
            "The torrents that its owner downloads and seeds: everseed add, everseed ls.",
            "true or false",
          ),
        ),
      transmissionRpc: z
        .boolean()
        .default(false)
        .meta(
          note(
            "Transmission's RPC at /transmission/rpc on the web port: its apps and scripts control the transfers, with an account or a token.",
            "true or false",
          ),
        ),
    })
    .prefault({}),
  transfers: transfersSection,
  webhook: webhookSection,
  tracker: z
    .strictObject({
      udpPort: port()
        .optional()
        .meta(
          note(
            "UDP port of the tracker; the web port's number, or any free one, when left out.",
            PORT_TAKES,
          ),
        ),
      nameUdp: z
        .boolean()
        .default(true)
        .meta(
          note(
            "False leaves the UDP tracker out of published torrents: no packets reach it from outside.",
            "true or false",
          ),
        ),
      intervalSeconds: z
        .number()
        .int()
        .min(60)
        .max(86_400)
        .default(720)
        .meta(note("How often peers are asked to announce.", "60 to 86400 seconds")),
      minIntervalSeconds: z
        .number()
        .int()
        .min(30)
        .max(86_400)
        .default(240)
        .meta(note("How often peers may announce at most.", "30 to 86400 seconds")),
      requestsPerSecondMax: z
        .number()
        .int()
        .min(1)
        .max(1_000_000)
        .default(200)
        .meta(
          note(
            "Announces and scrapes answered to one address, ten times as many at once; more get 429.",
            "1 to 1000000; a campus of 100000 peers behind one address asks 140 times",
          ),
        ),
      peersPerAddress: z
        .number()
        .int()
        .min(1)
        .max(65_000)
        .default(10_000)
        .meta(
          note(
            "Peers of one address (or IPv6 /64) in all swarms together; more are refused. An IPv6 /48 has 16 times as many.",
            "1 to 65000",
          ),
        ),
      peersPerAddressInSwarm: z
        .number()
        .int()
        .min(1)
        .max(65_000)
        .default(32)
        .meta(
          note(
            "Peers of one address (or IPv6 /64) in one swarm; more are told of others, and nobody of them. An IPv6 /48 has 16 times as many.",
            "1 to 65000",
          ),
        ),
      sharedAddresses: z
        .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
        .default([])
        .meta(
          note(
            "Addresses that many machines share, like that of a campus: peersPerAddressInSwarm is not for them.",
            "a list of addresses and networks like [198.18.0.0/15]",
          ),
        ),
      believeAddressesFrom: z
        .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
        .default([])
        .meta(
          note(
            "Networks whose peers may name their public address with ip= when they announce.",
            "a list of addresses and networks like [192.168.1.0/24]",
          ),
        ),
      fullScrape: z
        .boolean()
        .default(false)
        .meta(
          note(
            "True answers a scrape that names no torrent with all of them, up to 5000, once a minute anew.",
            "true or false",
          ),
        ),
      open: z
        .boolean()
        .default(false)
        .meta(note("True tracks any torrent, false only those published here.", "true or false")),
    })
    .prefault({}),
  engine: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .optional()
        .meta(
          note(
            "Address other peers connect to; like host when left out.",
            "an address of this machine",
          ),
        ),
      port: port()
        .optional()
        .meta(
          note(
            `Port other peers connect to; ${PEER_PORT}, or any free one, when left out.`,
            PORT_TAKES,
          ),
        ),
      publicAddress: z
        .string()
        .min(1)
        .optional()
        .meta(
          note(
            "Where the world reaches the peer port, behind a router; that of publicUrl when left out.",
            "an address or a host name",
          ),
        ),
      connectionsMax: z
        .number()
        .int()
        .min(4)
        .max(50_000)
        .default(500)
        .meta(note("Peers connected at once.", "4 to 50000")),
      downBytesPerSecond: bytesPerSecond()
        .default(0)
        .meta(note("Limit for receiving from peers.", "bytes per second; 0 is no limit")),
      upBytesPerSecond: bytesPerSecond()
        .default(0)
        .meta(note("Limit for sending to peers.", "bytes per second; 0 is no limit")),
      encryption: z
        .enum(["prefer", "require", "off"])
        .default("prefer")
        .meta(
          note(
            "Streams to peers: encrypted where they can be, encrypted or refused, or plain only.",
            "prefer, require or off",
          ),
        ),
      interface: z
        .string()
        .min(1)
        .optional()
        .meta(
          note(
            "Traffic with peers and trackers leaves and comes in by this interface only, and waits while it is away.",
            "the name of an interface like tun0, or one of its addresses",
          ),
        ),
      proxy: z
        .string()
        .min(1)
        .optional()
        .meta(
          note(
            "Peers, trackers and web seeds are reached through this proxy only; peers cannot connect to the hub then.",
            "a URL like socks5://127.0.0.1:1080 or http://NAME:PASSWORD@proxy.example:3128",
          ),
        ),
      ipFilters: z
        .array(z.string().min(1))
        .default([])
        .meta(
          note(
            "Files with addresses that nothing is exchanged with (peers, nodes, trackers, web seeds), in p2p, dat or CIDR form; read again when they change.",
            "a list of paths like [/etc/everseed/blocked.p2p]",
          ),
        ),
      transport: z
        .enum(TRANSPORT_MODES)
        .default("both")
        .meta(
          note(
            "Streams to peers: over TCP and uTP, whichever opens first, or over one of them only.",
            "both, tcp or utp",
          ),
        ),
    })
    .prefault({}),
  discovery: z
    .strictObject({
      dht: z
        .boolean()
        .optional()
        .meta(
          note(
            "Use the DHT: peers find torrents of this hub without a tracker. When left out: unless only this machine reaches the peer port.",
            "true or false",
          ),
        ),
      dhtBootstrap: z
        .array(hostPort())
        .default([])
        .meta(
          note(
            "DHT nodes to begin with. When left out: well-known ones, and none where only this machine reaches the peer port.",
            "a list of hosts with ports like [dht.example:6881, '[2001:db8::1]:6881']",
          ),
        ),
      webSeeds: z
        .boolean()
        .default(true)
        .meta(
          note(
            "Torrents name the web site as web seed: readers download from it beside peers. Not while only this machine reaches it, or engine.upBytesPerSecond is set.",
            "true or false",
          ),
        ),
      dhtQueriesPerSecond: z
        .number()
        .int()
        .min(10)
        .max(10_000)
        .default(500)
        .meta(
          note(
            "Queries a second that announcing all torrents in the DHT may take. A torrent needs 22 each 25 minutes, and 12 at least.",
            "10 to 10000; 500 is enough for 60000 torrents",
          ),
        ),
      superSeeding: z
        .boolean()
        .default(false)
        .meta(
          note(
            "True shows each peer little at a time while nobody else has everything: a narrow line sends less twice.",
            "true or false",
          ),
        ),
      lsd: z
        .boolean()
        .optional()
        .meta(
          note(
            "Look for neighbours on the same link, and let them find what is here. When left out: unless only this machine reaches the peer port.",
            "true or false",
          ),
        ),
      pex: z
        .boolean()
        .default(true)
        .meta(
          note(
            "True tells connected peers of each other, and takes their word for more.",
            "true or false",
          ),
        ),
    })
    .prefault({}),
  router: z
    .strictObject({
      mapPorts: z
        .boolean()
        .optional()
        .meta(
          note(
            "Have the router pass the peer port on to this machine (PCP, NAT-PMP, UPnP). When left out: unless only this machine reaches that port.",
            "true or false; the port of the web site is never mapped",
          ),
        ),
    })
    .prefault({}),
  limits: z
    .strictObject({
      uploadBytesMax: z
        .number()
        .int()
        .min(0)
        .default(0)
        .meta(note("The largest upload one may publish.", "bytes; 0 is what the disk holds")),
      memoryBytesMax: z
        .number()
        .int()
        .min(32 * MEBIBYTE)
        .default(64 * MEBIBYTE)
        .meta(
          note("Memory for pieces on their way between peers and disk.", "bytes, 32 MiB and more"),
        ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .meta(note("Level of the log.", "debug, info, warn or error")),
    })
    .prefault({}),
});

/** The settings of a running system, defaults filled in. */
export type Config = z.output<typeof configSchema>;

/** Settings as a person gives them: every key may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

/** The pages, the tracker and the links in torrents all start at the root of a host name. */
function demandWholeSite(text: string, context: z.RefinementCtx): void {
  const url = URL.parse(text);
  if (!url) return; // Refused already, as no URL at all.
  const refuse = (message: string, hint: string): void => {
    context.addIssue({ code: "custom", message, params: { hint } });
  };
  if (url.pathname !== "/") {
    refuse(
      `The site fills a whole host name, so there can be no path ("${url.pathname}").`,
      "give the site a host name of its own, like https://seed.example, and let your proxy pass it on.",
    );
  } else if (url.search !== "" || url.hash !== "") {
    refuse("It is an address without a query or fragment.", `write ${url.origin}.`);
  } else if (url.username !== "" || url.password !== "") {
    refuse("It is an address without a name and password.", `write ${url.origin}.`);
  }
}
