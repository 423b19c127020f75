import { createRoute, z } from "@hono/zod-openapi";
import { TORRENT_FILE_BYTES_MAX } from "../api/source-limits.ts";
import {
  type TransferInput,
  queueMoveSchema,
  transferBatchResultSchema,
  transferBatchSchema,
  transferEditSchema,
  transferFileQuerySchema,
  transferFilesSchema,
  transferInputSchema,
  transferListSchema,
  transferMoveSchema,
  transferPeersSchema,
  transferRemovalQuerySchema,
  transferRenameSchema,
  transferSchema,
  TRANSFERS_PER_PAGE,
  transferSettingsChangeSchema,
  transferSettingsSchema,
  transferStatusSchema,
  transferTrackersSchema,
  watchedFoldersSchema,
} from "../api/transfers.ts";
import type { AddTransfer, GivenTorrent } from "../transfers/transfer-adding.ts";
import type { TransferChoices } from "../transfers/transfer-choices.ts";
import type { Transfer } from "../transfers/transfer.ts";
import { takesType } from "./body-type.ts";
import { answers, type ApiApp, createApiApp, GONE, limitBody, requires, takes } from "./api-app.ts";
import type { TransferParts } from "./control-parts.ts";
import { demandTransfers } from "./demand-transfers.ts";
import { SMALL_BODY_BYTES } from "./request-body.ts";
import { TransferStreams } from "./transfer-stream.ts";
import { carryOut, editOf } from "./transfer-batch.ts";
import { transferStatus } from "./transfer-status.ts";
import {
  transferFilesView,
  transferPeersView,
  transferSettingsView,
  transferTrackersView,
  transferView,
} from "./transfer-views.ts";

/** Room for the priorities of many files. */
const EDIT_BYTES_MAX = 4 * 1024 * 1024;

/** The id, its beginning while no other begins so, or the exact name. */
const params = z.object({ id: z.string().min(1).max(1_000) });
const owner = requires("hub.administer");
const DONE = { 204: { description: "Done." } } as const;

const listRoute = createRoute({
  method: "get",
  path: "/transfers",
  summary: "The torrents that this node keeps, in the order of adding",
  request: {
    query: z.object({
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(TRANSFERS_PER_PAGE).default(TRANSFERS_PER_PAGE),
      label: z.string().max(100).optional(),
      shown: z.enum(["finished", "unfinished", "stopped", "failed"]).optional(),
    }),
  },
  responses: answers(transferListSchema),
  middleware: [owner] as const,
});

const addRoute = createRoute({
  method: "post",
  path: "/transfers",
  summary:
    "Add what a magnet link, an infohash or a URL names; one that is here already is refused by its id",
  request: takes(transferInputSchema),
  responses: answers(transferSchema, 201),
  middleware: [owner, limitBody(SMALL_BODY_BYTES)] as const,
});

const addFileRoute = createRoute({
  method: "post",
  path: "/transfers/torrent",
  summary: "The same for a .torrent file, which is the body",
  request: {
    query: transferFileQuerySchema,
    body: {
      content: { "application/x-bittorrent": { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  responses: answers(transferSchema, 201),
  middleware: [
    owner,
    takesType("application/x-bittorrent"),
    limitBody(TORRENT_FILE_BYTES_MAX),
  ] as const,
});

const eventsRoute = createRoute({
  method: "get",
  path: "/transfers/events",
  summary: "Server-sent events `transfers`, at most one a second: TransferNews, after one `ready`",
  responses: {
    200: {
      description: "A stream of events.",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
  middleware: [owner] as const,
});

const settingsRoute = createRoute({
  method: "get",
  path: "/transfers/settings",
  summary: "What holds for all transfers",
  responses: answers(transferSettingsSchema),
  middleware: [owner] as const,
});

const changeSettingsRoute = createRoute({
  method: "patch",
  path: "/transfers/settings",
  summary: "Change what holds for all transfers",
  request: takes(transferSettingsChangeSchema),
  responses: answers(transferSettingsSchema),
  middleware: [owner, limitBody(EDIT_BYTES_MAX)] as const,
});

const statusRoute = createRoute({
  method: "get",
  path: "/transfers/status",
  summary: "The limits that hold now, and the disks",
  responses: answers(transferStatusSchema),
  middleware: [owner] as const,
});

const queueRoute = createRoute({
  method: "post",
  path: "/transfers/queue",
  summary: "Move transfers to another place in the queue",
  request: takes(queueMoveSchema),
  responses: DONE,
  middleware: [owner, limitBody(SMALL_BODY_BYTES)] as const,
});

const batchRoute = createRoute({
  method: "post",
  path: "/transfers/batch",
  summary: "The same command for many transfers; those that refuse it are named",
  request: takes(transferBatchSchema),
  responses: answers(transferBatchResultSchema),
  middleware: [owner, limitBody(EDIT_BYTES_MAX)] as const,
});

const watchedRoute = createRoute({
  method: "get",
  path: "/transfers/watch-folders",
  summary: "How the folders are doing whose .torrent files are added",
  responses: answers(watchedFoldersSchema),
  middleware: [owner] as const,
});

const findRoute = createRoute({
  method: "get",
  path: "/transfers/{id}",
  summary: "One transfer",
  request: { params },
  responses: answers(transferSchema),
  middleware: [owner] as const,
});

const editRoute = createRoute({
  method: "patch",
  path: "/transfers/{id}",
  summary: "Change limits, label, files, trackers, peers or the place in the queue",
  request: { params, ...takes(transferEditSchema) },
  responses: answers(transferSchema),
  middleware: [owner, limitBody(EDIT_BYTES_MAX)] as const,
});

const moveRoute = createRoute({
  method: "post",
  path: "/transfers/{id}/move",
  summary: "Move its content to another folder",
  request: { params, ...takes(transferMoveSchema) },
  responses: answers(transferSchema),
  middleware: [owner, limitBody(SMALL_BODY_BYTES)] as const,
});

const renameRoute = createRoute({
  method: "post",
  path: "/transfers/{id}/rename",
  summary: "Rename one of its files or folders, on disk too",
  request: { params, ...takes(transferRenameSchema) },
  responses: answers(transferSchema),
  middleware: [owner, limitBody(SMALL_BODY_BYTES)] as const,
});

const removeRoute = createRoute({
  method: "delete",
  path: "/transfers/{id}",
  summary: "Forget a transfer; with `content=true` its files are deleted too",
  request: { params, query: transferRemovalQuerySchema },
  responses: GONE,
  middleware: [owner] as const,
});

function partRoute<Name extends string, Schema extends z.ZodType>(
  name: Name,
  summary: string,
  schema: Schema,
) {
  return createRoute({
    method: "get",
    path: `/transfers/{id}/${name}`,
    summary,
    request: { params },
    responses: answers(schema),
    middleware: [owner] as const,
  });
}

const filesRoute = partRoute(
  "files",
  "Its files; none until the details are known",
  transferFilesSchema,
);
const peersRoute = partRoute("peers", "The peers that are connected", transferPeersSchema);
const trackersRoute = partRoute(
  "trackers",
  "Its trackers, and what they say",
  transferTrackersSchema,
);

/** Commands without a body, each a method of `Transfers`. */
const COMMANDS = [
  ["start", "Go on with a transfer that is stopped or has failed"],
  ["stop", "Stop a transfer until it is started"],
  ["recheck", "Compare its content with its hashes"],
  ["announce", "Ask its trackers now"],
] as const;

function commandRoute(name: string, summary: string) {
  return createRoute({
    method: "post",
    path: `/transfers/{id}/${name}`,
    summary,
    request: { params },
    responses: DONE,
    middleware: [owner] as const,
  });
}

/** The torrents that a node keeps for its owner. */
export function transferRoutes(parts: TransferParts | undefined): ApiApp {
  const app = createApiApp();
  const streams = parts && new TransferStreams(parts);

  for (const [command, summary] of COMMANDS) {
    app.openapi(commandRoute(command, summary), async (c) => {
      const { id } = await find(c.req.valid("param"));
      await demandParts().service[command](id);
      return c.body(null, 204);
    });
  }

  return app
    .openapi(listRoute, async (c) => {
      const { after, limit, label, shown } = c.req.valid("query");
      const { service } = demandParts();
      const { transfers, next } = await service.list(after, limit, { label, shown });
      const counts = await service.counts();
      const views = transfers.map(transferView);
      return c.json({ transfers: views, next: next ?? null, counts }, 200);
    })
    .openapi(addRoute, async (c) => {
      const { source, ...how } = c.req.valid("json");
      const added = await addSource(demandParts(), source, waysToAdd(how));
      return c.json(transferView(added), 201);
    })
    .openapi(addFileRoute, async (c) => {
      const { service } = demandParts();
      const { ratio, seedingMinutes, idleMinutes, ...how } = c.req.valid("query");
      const torrent = new Uint8Array(await c.req.arrayBuffer());
      const isLimited = (ratio ?? seedingMinutes ?? idleMinutes) !== undefined;
      const options = waysToAdd({
        ...how,
        ...(isLimited && { shareLimits: { ratio, seedingMinutes, idleMinutes } }),
      });
      return c.json(transferView(await service.add({ torrent }, options)), 201);
    })
    .openapi(eventsRoute, () => {
      demandParts();
      return streams!.open();
    })
    .openapi(settingsRoute, (c) =>
      c.json(transferSettingsView(demandParts().service.settings), 200),
    )
    .openapi(changeSettingsRoute, async (c) => {
      await demandParts().service.setSettings(c.req.valid("json"));
      return c.json(transferSettingsView(demandParts().service.settings), 200);
    })
    .openapi(statusRoute, async (c) => c.json(await transferStatus(demandParts()), 200))
    .openapi(queueRoute, async (c) => {
      const { ids, to } = c.req.valid("json");
      await demandParts().service.moveInQueue(ids, to);
      return c.body(null, 204);
    })
    .openapi(batchRoute, async (c) => {
      const batch = c.req.valid("json");
      return c.json({ refused: await carryOut(demandParts().service, batch) }, 200);
    })
    .openapi(watchedRoute, (c) => {
      const folders = demandParts().watched();
      return c.json(
        {
          folders: folders.map(({ trouble, files, ...rest }) => ({
            ...rest,
            trouble: trouble ?? null,
            files: [...files],
          })),
        },
        200,
      );
    })
    .openapi(findRoute, async (c) => c.json(transferView(await find(c.req.valid("param"))), 200))
    .openapi(editRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      await demandParts().service.edit(id, editOf(c.req.valid("json")));
      return c.json(transferView(await find({ id })), 200);
    })
    .openapi(moveRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      await demandParts().service.move(id, c.req.valid("json").folder);
      return c.json(transferView(await find({ id })), 200);
    })
    .openapi(renameRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      const { path, name } = c.req.valid("json");
      await demandParts().service.rename(id, path, name);
      return c.json(transferView(await find({ id })), 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      await demandParts().service.remove(id, c.req.valid("query").content);
      return c.body(null, 204);
    })
    .openapi(filesRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      return c.json(transferFilesView(await demandParts().service.details.files(id)), 200);
    })
    .openapi(peersRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      return c.json(transferPeersView(await demandParts().service.details.peers(id)), 200);
    })
    .openapi(trackersRoute, async (c) => {
      const { id } = await find(c.req.valid("param"));
      return c.json(transferTrackersView(await demandParts().service.details.trackers(id)), 200);
    });

  function demandParts(): TransferParts {
    return demandTransfers(parts);
  }

  function find({ id }: { readonly id: string }) {
    return demandParts().service.resolve(id);
  }
}

/** Adds what a magnet link, an infohash or a URL names. */
export async function addSource(
  { service, openUrl }: TransferParts,
  source: string,
  how: AddTransfer,
): Promise<Transfer> {
  const given: GivenTorrent = /^https?:\/\//i.test(source)
    ? await openUrl(source)
    : { link: source };
  return service.add(given, how);
}

function waysToAdd(input: Omit<TransferInput, "source">): AddTransfer {
  const { folder, label, stopped, first, merge, downLimit, upLimit, ...rest } = input;
  const { select, sequential, firstAndLast, shareLimits, trackers, peers } = rest;
  const choices: TransferChoices = {
    ...(select && { patterns: select }),
    ...(sequential !== undefined && { sequential }),
    ...(firstAndLast !== undefined && { firstAndLast }),
    ...(downLimit !== undefined && { downBytesPerSecond: downLimit }),
    ...(upLimit !== undefined && { upBytesPerSecond: upLimit }),
    ...(shareLimits && { shareLimits }),
    ...(trackers && { ownTrackers: [...new Set(trackers)] }),
    ...(peers && { peers: [...new Set(peers)] }),
  };
  return { root: folder, label, stopped, first, merge, choices };
}
