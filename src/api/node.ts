import { z } from "zod";
import { reachPartSchema } from "./reach.ts";

/** `GET /api/v1/node`: which program answers here, and what it does. */
export const nodeStatusSchema = z
  .object({
    version: z.string(),
    pid: z.number().int(),
    startedAt: z.iso.datetime(),
    /** A service manager such as systemd started it, and restarts it. */
    supervised: z.boolean(),
    /** What its defaults are made for: a person, or many. */
    preset: z.enum(["node", "hub"]),
    dataFolder: z.string(),
    /** The configuration file, which need not exist. */
    configFile: z.string().nullable(),
    /** The path of the control socket; null where there is none. */
    socket: z.string().nullable(),
    /** 0 where peers cannot connect. */
    peerPort: z.number().int(),
    /** Of the web site; null when it is off. */
    webPort: z.number().int().nullable(),
    /** Of the tracker; null when it is off. */
    udpPort: z.number().int().nullable(),
    /** In the order of their start. */
    services: z.array(reachPartSchema.extend({ name: z.string() })).readonly(),
  })
  .meta({ id: "NodeStatus" });

/** `POST /api/v1/node/reload`: what the configuration file changes in the running program, by key. */
export const settingsReloadSchema = z
  .object({
    /** Holds from now on. */
    atOnce: z.array(z.string()).readonly(),
    /** Differs from what runs, and holds after a restart. */
    afterRestart: z.array(z.string()).readonly(),
  })
  .meta({ id: "SettingsReload" });

export type SettingsReload = z.infer<typeof settingsReloadSchema>;

export type NodeStatus = z.infer<typeof nodeStatusSchema>;
