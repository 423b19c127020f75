import { type Context, Hono } from "hono";
import type { FormProblem } from "../api/form-problem.ts";
import { CONNECTIONS_PAGE_PATH } from "../api/paths.ts";
import type { ReachSetting, ReachValue } from "../api/reach.ts";
import { demand } from "./api-app.ts";
import type { HubEnv, HubParts, ReachRefusal } from "./hub-parts.ts";
import { loginPath } from "./login-path.ts";
import type { PageFrames } from "./page-frame.ts";
import { readForm } from "./request-body.ts";

const KIB = 1024;
/** Characters of a field that are shown again. */
const SHOWN_MAX = 2000;
/** The login of a proxy that was typed by mistake is not shown again (rule 10). */
const URL_LOGIN = /\/\/[^/]*@/;

/** The page "Connections" and its plain form. */
export function connectionsPages({ reach }: HubParts, frames: PageFrames): Hono<HubEnv> {
  const app = new Hono<HubEnv>();

  app.get(CONNECTIONS_PAGE_PATH, async (c) => {
    if (c.var.actor.kind === "stranger") return c.redirect(loginPath(c), 303);
    demand(c.var.actor, "hub.administer");
    return frames.respond(c, {
      kind: "connections",
      reach: reach.view(),
      typed: null,
      problem: null,
      saved: c.req.query("saved") !== undefined,
    });
  });

  app.post(CONNECTIONS_PAGE_PATH, async (c) => {
    demand(c.var.actor, "hub.administer");
    const form = await readForm(c.req.raw);
    const settings: Record<string, ReachValue | null> = {};
    for (const setting of reach.view().settings) {
      const text = form.get(setting.key);
      if (text === undefined) continue;
      const value = readValue(setting, text);
      if (value === undefined) {
        const message = `"${setting.label}" does not take "${text.slice(0, 100)}". ${takes(setting)}`;
        return again(c, form, { kind: "bad-value", key: setting.key, message });
      }
      if (isSame(value, setting.value)) continue;
      settings[setting.key] = isSame(value, setting.default) ? null : value;
    }
    const refusal = await reach.change({ settings });
    if (refusal) return again(c, form, refusal);
    return c.redirect(`${CONNECTIONS_PAGE_PATH}?saved`, 303);
  });

  return app;

  /** The form again, filled in, with what is wrong. */
  function again(
    c: Context<HubEnv>,
    form: ReadonlyMap<string, string>,
    { kind, key, message }: ReachRefusal,
  ): Promise<Response> {
    const view = reach.view();
    const typed: Record<string, string> = {};
    for (const setting of view.settings) {
      const text = form.get(setting.key);
      if (text !== undefined) {
        typed[setting.key] = text.slice(0, SHOWN_MAX).replace(URL_LOGIN, "//");
      }
    }
    const problem: FormProblem = { field: key, message, hint: null, waitSeconds: null };
    return frames.respond(
      c,
      { kind: "connections", reach: view, typed, problem, saved: false },
      kind === "set-elsewhere" ? 409 : 400,
    );
  }
}

/** @returns The value of a field; `null` for an empty one, `undefined` for a text that is no such value. */
function readValue({ control }: ReachSetting, text: string): ReachValue | null | undefined {
  const trimmed = text.trim();
  switch (control.kind) {
    case "switch":
      return SWITCHES.get(trimmed);
    case "choice":
      return trimmed;
    case "text":
      return trimmed === "" ? null : trimmed;
    case "list": {
      const items = trimmed.split(/\s*\r?\n\s*/).filter((item) => item !== "");
      return items.length === 0 ? null : items;
    }
    case "count":
      return /^[0-9]{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
    case "rate":
      if (trimmed === "") return 0;
      return /^[0-9]{1,12}(\.[0-9]{1,3})?$/.test(trimmed)
        ? Math.round(Number(trimmed) * KIB)
        : undefined;
  }
}

/** What a field takes, in words. */
function takes({ control }: ReachSetting): string {
  switch (control.kind) {
    case "count":
      return `It takes a whole number from ${control.min} to ${control.max}.`;
    case "rate":
      return "It takes KiB per second, such as 500; nothing is no limit.";
    case "switch":
      return "It takes on, off, or nothing for automatic.";
    case "choice":
      return `It takes one of ${control.choices.map(({ value }) => value).join(", ")}.`;
    case "text":
    case "list":
      return "It takes any text.";
  }
}

/** By the text of a field. Without a choice it is automatic. */
const SWITCHES: ReadonlyMap<string, boolean | null> = new Map([
  ["on", true],
  ["off", false],
  ["", null],
]);

function isSame(a: ReachValue | null, b: ReachValue | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
