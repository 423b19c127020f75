import "../style/look.css";
import { hydrate } from "preact";
import { App } from "../app.tsx";
import { laterViews } from "./later-views.ts";
import { readPage } from "./page-in-document.ts";

const page = readPage(document);
const root = document.getElementById("app");
// Not a top-level await: what is loaded later imports from this file, and would wait for it in turn.
if (page !== undefined && root !== null) {
  void laterViews(page.model.kind).then((later) =>
    hydrate(<App page={page} later={later} />, root),
  );
}
