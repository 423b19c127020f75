import { z } from "zod";

/**
 * `works`; `waits`: under way, or not known yet; `warns`: works with less than it could; `fails`: does not work; `off`:
 * somebody chose so.
 */
export const reachStateSchema = z.enum(["works", "waits", "warns", "fails", "off"]);

/** What every part says. Parts extend it with figures of their own. */
export const reachPartSchema = z.object({
  state: reachStateSchema,
  /** One or two whole sentences. It may hold text from outside. */
  words: z.string(),
  /** What a person can do about it; null when there is nothing to do. */
  remedy: z.string().nullable(),
});

/** Connections by the side that opened them. */
const sidesSchema = z.object({ incoming: z.number().int(), outgoing: z.number().int() });

/** The port for peers. */
const portSchema = reachPartSchema.extend({
  host: z.string(),
  port: z.number().int(),
  connections: z.number().int(),
  connectionsMax: z.number().int(),
  /** When somebody outside our own networks connected last, since the start of the hub; null when nobody has. */
  reachedAt: z.iso.datetime().nullable(),
});

const transportsSchema = reachPartSchema.extend({
  tcp: sidesSchema.optional(),
  utp: sidesSchema.optional(),
});

const encryptionSchema = reachPartSchema.extend({
  /** Open connections by what is encrypted of them. */
  plain: z.number().int(),
  header: z.number().int(),
  rc4: z.number().int(),
});

const dhtSchema = reachPartSchema.extend({
  /** The UDP port; null when it is off. */
  port: z.number().int().nullable(),
  /** IPv4 and IPv6 are two networks (BEP 32). */
  networks: z
    .array(
      z.object({
        family: z.union([z.literal(4), z.literal(6)]),
        /** Nodes that answered lately. */
        nodes: z.number().int(),
        joined: z.boolean(),
        /** Our address as others see it; null while it is not known. */
        outerAddress: z.string().nullable(),
      }),
    )
    .readonly(),
  /** The announces of what is published; null when it is off. */
  catalogue: z
    .object({
      /** A hybrid torrent has two. */
      infohashes: z.number().int(),
      /** Those that the DHT has, as far as we know. */
      announced: z.number().int(),
      /** How long a round of announces takes. */
      roundSeconds: z.number().int(),
      /** When a full round last ended; null before that. */
      lastRoundAt: z.iso.datetime().nullable(),
    })
    .nullable(),
});

const routerSchema = reachPartSchema.extend({
  /** How the router was asked; null while none maps anything. */
  protocol: z.enum(["PCP", "NAT-PMP", "UPnP"]).nullable(),
  /** Address of the router in our network. */
  router: z.string().nullable(),
  innerAddress: z.string().nullable(),
  /** The router's address outside, as it says. */
  outerAddress: z.string().nullable(),
  /** The ports that it passes on. */
  mappings: z
    .array(
      z.object({
        transport: z.enum(["tcp", "udp"]),
        innerPort: z.number().int(),
        outerPort: z.number().int(),
        /** Until it ends, if it is not renewed; null when it never does. */
        secondsLeft: z.number().int().nullable(),
      }),
    )
    .readonly(),
});

/** The parts of a hub through which peers find and reach it. A part that the hub does not have is left out. */
export const reachPartsSchema = z.object({
  port: portSchema.optional(),
  transports: transportsSchema.optional(),
  encryption: encryptionSchema.optional(),
  router: routerSchema.extend({ ipv6: routerSchema.nullable() }).optional(),
  dht: dhtSchema.optional(),
  pex: reachPartSchema.optional(),
  lsd: reachPartSchema.optional(),
  webSeeds: reachPartSchema.optional(),
  superSeeding: reachPartSchema.optional(),
  interface: reachPartSchema.optional(),
  proxy: reachPartSchema.optional(),
  ipFilters: reachPartSchema.optional(),
});

export const reachControlSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("choice"),
    choices: z.array(z.object({ value: z.string(), label: z.string() })),
  }),
  z.object({ kind: z.literal("switch") }),
  /** Bytes per second; 0 is no limit. */
  z.object({ kind: z.literal("rate") }),
  z.object({ kind: z.literal("count"), min: z.number().int(), max: z.number().int() }),
  z.object({ kind: z.literal("text") }),
  z.object({ kind: z.literal("list") }),
]);

export const reachValueSchema = z.union([
  z.string().max(2000),
  z.number(),
  z.boolean(),
  z.array(z.string().max(2000)).max(100),
]);

/** Where a value comes from. All but `default` and `page` win over what the page says. */
export const reachOriginSchema = z.enum(["default", "page", "file", "variable", "command-line"]);

export const reachSettingSchema = z
  .object({
    /** As in the configuration file: `engine.encryption`. */
    key: z.string(),
    group: z.enum(["ways", "finding", "router", "limits"]),
    label: z.string(),
    help: z.string(),
    control: reachControlSchema,
    /** The wanted value: it holds now, or from the next start on when `waitsForRestart`. Null when there is none. */
    value: reachValueSchema.nullable(),
    default: reachValueSchema.nullable(),
    origin: reachOriginSchema,
    /** A change holds at once; otherwise after a restart of the hub. */
    atOnce: z.boolean(),
    waitsForRestart: z.boolean(),
    /** Why the value is not, or not wholly, carried out; null when it is. It may hold text from outside. */
    trouble: z.string().nullable(),
  })
  .meta({ id: "ReachSetting" });

/** `GET /api/v1/reach`: how peers find and reach this hub. */
export const reachSchema = z
  .object({ parts: reachPartsSchema, settings: z.array(reachSettingSchema) })
  .meta({ id: "Reach" });

/** `PATCH /api/v1/reach`: settings by their keys; null takes back what the page stored. */
export const reachChangeSchema = z
  .object({ settings: z.record(z.string().max(100), reachValueSchema.nullable()) })
  .meta({ id: "ReachChange" });

export type ReachState = z.infer<typeof reachStateSchema>;
export type ReachPart = z.infer<typeof reachPartSchema>;
export type DhtReach = z.infer<typeof dhtSchema>;
export type ReachParts = z.infer<typeof reachPartsSchema>;
export type ReachValue = z.infer<typeof reachValueSchema>;
export type ReachSetting = z.infer<typeof reachSettingSchema>;
export type Reach = z.infer<typeof reachSchema>;
export type ReachChange = z.infer<typeof reachChangeSchema>;
