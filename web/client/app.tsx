import "../style/look.css";
import { hydrate } from "preact";
import { App, type LaterViews } from "../app.tsx";
import { readPage } from "./page-in-document.ts";

/** Pages with a script of their own, in `client/`, which shows them: they come to life before the document is loaded. */
const OWN_SCRIPTS: ReadonlySet<string> = new Set(["publish", "transfers", "transfer"]);

const page = readPage(document);
if (page !== undefined && !OWN_SCRIPTS.has(page.model.kind)) show({});

/** Brings the page to life. @param later - The view of a page that is not part of this script. */
export function show(later: LaterViews): void {
  const root = document.getElementById("app");
  if (page !== undefined && root !== null) hydrate(<App page={page} later={later} />, root);
}
