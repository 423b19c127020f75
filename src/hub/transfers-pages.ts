import { type Context, Hono } from "hono";
import type { FormProblem } from "../api/form-problem.ts";
import { TRANSFERS_PAGE_PATH, transferPagePath } from "../api/paths.ts";
import { MAGNET_CHARACTERS_MAX } from "../api/source-limits.ts";
import {
  TRANSFER_FILES_FIRST,
  TRANSFER_TABS,
  type TransferPage,
  TRANSFERS_SHOWN_FIRST,
  type TransfersPage,
} from "../api/transfer-pages.ts";
import { demand } from "./api-app.ts";
import { addSource } from "./api-transfers.ts";
import { demandTransfers } from "./demand-transfers.ts";
import type { TransferParts } from "./control-parts.ts";
import type { HubEnv } from "./hub-parts.ts";
import { loginPath } from "./login-path.ts";
import type { PageFrames } from "./page-frame.ts";
import { asRefusal, notFound } from "./problems.ts";
import { readForm } from "./request-body.ts";
import { transferStatus } from "./transfer-status.ts";
import {
  transferFilesView,
  transferLogView,
  transferPeersView,
  transferSettingsView,
  transferTrackersView,
  transferView,
} from "./transfer-views.ts";

const SHOWN = ["finished", "unfinished", "stopped", "failed"] as const;
const ABSOLUTE = /^\//;

/** The pages of the torrents that a node keeps for its owner, and their plain forms. */
export function transfersPages(
  parts: TransferParts | undefined,
  frames: Pick<PageFrames, "respond">,
): Hono<HubEnv> {
  const app = new Hono<HubEnv>();

  app.get(TRANSFERS_PAGE_PATH, async (c) => {
    if (c.var.actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    demand(c.var.actor, "hub.administer");
    const source = (c.req.query("add") ?? "").slice(0, MAGNET_CHARACTERS_MAX);
    return frames.respond(c, await listPage(c, { source, problem: null }));
  });

  app.post(`${TRANSFERS_PAGE_PATH}/add`, async (c) => {
    demand(c.var.actor, "hub.administer");
    const transfers = demandTransfers(parts);
    const form = await readForm(c.req.raw);
    const source = (form.get("source") ?? "").trim();
    const folder = (form.get("folder") ?? "").trim();
    const again = async (problem: FormProblem, status: number): Promise<Response> =>
      frames.respond(
        c,
        await listPage(c, { source: source.slice(0, MAGNET_CHARACTERS_MAX), problem }),
        status,
      );
    if (source === "") return again({ ...PROBLEM, ...NOTHING_GIVEN }, 400);
    if (folder !== "" && !ABSOLUTE.test(folder)) {
      return again({ ...PROBLEM, field: "folder", ...NO_FOLDER }, 400);
    }
    try {
      const how = { root: folder === "" ? undefined : folder, stopped: form.has("stopped") };
      const { id } = await addSource(transfers, source, how);
      return c.redirect(transferPagePath(id), 303);
    } catch (error) {
      const refusal = asRefusal(error);
      if (!refusal) throw error;
      const { message, hint = null, status } = refusal;
      return again({ ...PROBLEM, message, hint }, status);
    }
  });

  for (const command of ["start", "stop"] as const) {
    app.post(`${TRANSFERS_PAGE_PATH}/:id/${command}`, async (c) => {
      demand(c.var.actor, "hub.administer");
      const { service } = demandTransfers(parts);
      const { id } = await service.resolve(c.req.param("id"));
      await service[command](id);
      const back = (await readForm(c.req.raw)).get("back") === "list";
      return c.redirect(back ? TRANSFERS_PAGE_PATH : transferPagePath(id), 303);
    });
  }

  app.post(`${TRANSFERS_PAGE_PATH}/:id/remove`, async (c) => {
    demand(c.var.actor, "hub.administer");
    const { service } = demandTransfers(parts);
    const { id } = await service.resolve(c.req.param("id"));
    await service.remove(id, (await readForm(c.req.raw)).get("content") === "true");
    return c.redirect(TRANSFERS_PAGE_PATH, 303);
  });

  app.get(`${TRANSFERS_PAGE_PATH}/:id/:tab?`, async (c) => {
    if (c.var.actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    demand(c.var.actor, "hub.administer");
    const { service } = demandTransfers(parts);
    const asked = c.req.param("tab") ?? "overview";
    const tab = TRANSFER_TABS.find((each) => each === asked);
    if (tab === undefined) throw notFound("page");
    const transfer = await service.resolve(c.req.param("id"));
    const { details } = service;
    const model: TransferPage = {
      kind: "transfer",
      tab,
      transfer: transferView(transfer),
      files: tab === "files" ? await firstFiles(transfer.id) : [],
      ...transferPeersView(await details.peers(transfer.id)),
      trackers: transferTrackersView(await details.trackers(transfer.id)),
      log: tab === "log" ? transferLogView(await details.log(transfer.id)).lines : [],
      status: await transferStatus(demandTransfers(parts)),
    };
    return frames.respond(c, model);
  });

  return app;

  async function firstFiles(id: string): Promise<TransferPage["files"]> {
    const files = await demandTransfers(parts).service.details.files(id);
    return transferFilesView(files.slice(0, TRANSFER_FILES_FIRST)).files;
  }

  async function listPage(
    c: Context<HubEnv>,
    form: Pick<TransfersPage, "source" | "problem">,
  ): Promise<TransfersPage> {
    const transfers = demandTransfers(parts);
    const { service } = transfers;
    const show = SHOWN.find((each) => each === c.req.query("show"));
    const after = Number(/^[0-9]{1,15}$/.exec(c.req.query("after") ?? "")?.[0] ?? 0);
    const page = await service.list(after, TRANSFERS_SHOWN_FIRST, { shown: show });
    return {
      kind: "transfers",
      list: {
        transfers: page.transfers.map(transferView),
        next: page.next ?? null,
        counts: await service.counts(),
      },
      show: show ?? "all",
      settings: transferSettingsView(service.settings),
      status: await transferStatus(transfers),
      ...form,
    };
  }
}

const PROBLEM = { field: "source", hint: null, waitSeconds: null } as const;
const NOTHING_GIVEN = {
  message: "Nothing was given.",
  hint: "Paste a magnet link, the address of a .torrent file, or an infohash.",
} as const;
const NO_FOLDER = {
  message: "This is no absolute path.",
  hint: "Write the whole path, such as /srv/media, or leave the field empty.",
} as const;
