import "../style/look.css";
import { hydrate } from "preact";
import { App } from "../app.tsx";
import { readPage } from "./page-in-document.ts";

const page = readPage(document);
const root = document.getElementById("app");
if (page !== undefined && root !== null) hydrate(<App page={page} />, root);
