/**
 * Shows every page in every state without a hub, under the hub's security policy.
 *
 *   tools/run node tools/preview-pages.ts                     serves them on a free port
 *   tools/run node tools/preview-pages.ts --shoot DIR [NAME]  takes pictures of them, 390 and 1280 px, light and dark
 */
import { readFile, mkdir } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { chromium } from "playwright-core";
import { entryAssets } from "../src/hub/built-pages.ts";
import type { PageRenderer } from "../src/api/pages.ts";
import { TRANSFERS_PATH } from "../src/api/paths.ts";
import { transferAnswers } from "../web/fixtures/transfer-parts.ts";
import { pageModels, pageOf } from "../web/fixtures/page-models.ts";
import { buildPages, pagesAreStale } from "./build-pages.ts";

const dist = path.resolve(import.meta.dirname, "../web/dist");
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export interface Preview {
  readonly origin: string;
  close(): void;
}

/** Serves each page of `page-models.ts` at `/NAME`, building the pages first when they are stale. */
export async function startPreview(): Promise<Preview> {
  if (await pagesAreStale()) console.error(await buildPages());
  const built: unknown = await import(path.join(dist, "server/render.js"));
  // The default export of the bundle is a PageRenderer: see src/api/pages.ts.
  const renderer = (built as { readonly default: PageRenderer }).default;
  const assets = entryAssets(await readFile(path.join(dist, "client/.vite/manifest.json")));
  const answer = async (pathname: string, response: ServerResponse): Promise<void> => {
    if (pathname.startsWith("/assets/")) {
      const file = await readFile(path.join(dist, "client/assets", path.basename(pathname)));
      response.setHeader("content-type", types[path.extname(pathname)] ?? "text/plain");
      response.end(file);
      return;
    }
    const found = transferAnswers[pathname.split("/").at(-1) ?? ""];
    if (pathname.startsWith(TRANSFERS_PATH) && found !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(found));
      return;
    }
    const name = pathname.slice(1);
    if (!(name in pageModels)) {
      response.statusCode = 404;
      response.setHeader("content-type", "text/html");
      response.end(
        Object.keys(pageModels)
          .map((key) => `<p><a href="/${key}">${key}</a>`)
          .join(""),
      );
      return;
    }
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("content-security-policy", policy);
    response.end(await renderer.render(pageOf(name, assets)));
  };
  const server = createServer((request, response) => {
    void answer(new URL(request.url ?? "/", "http://localhost").pathname, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function shoot(origin: string, folder: string, wanted: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({
        viewport: { width, height: width === 390 ? 844 : 800 },
        colorScheme,
      });
      const tab = await context.newPage();
      tab.on("console", (message) => {
        if (message.type() === "error") console.error(`${tab.url()}: ${message.text()}`);
      });
      tab.on("pageerror", (error) => console.error(`${tab.url()}: ${error.message}`));
      for (const name of Object.keys(pageModels)) {
        if (!name.includes(wanted)) continue;
        await tab.goto(`${origin}/${name}`);
        await tab.screenshot({
          path: path.join(folder, `${name}-${width}-${colorScheme}.png`),
          fullPage: true,
        });
        const overflow = await tab.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (overflow !== 0) console.error(`${name} at ${width}: ${String(overflow)} px too wide`);
      }
      await context.close();
    }
  }
  await browser.close();
}

async function main(): Promise<void> {
  const preview = await startPreview();
  const at = process.argv.indexOf("--shoot");
  if (at === -1) {
    console.log(preview.origin);
    return;
  }
  await shoot(preview.origin, process.argv[at + 1] ?? "pictures", process.argv[at + 2] ?? "");
  preview.close();
}

if (import.meta.main) await main();
