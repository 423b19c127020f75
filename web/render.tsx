import { renderToString } from "preact-render-to-string";
import type { Page, PageRenderer } from "../src/api/pages.ts";
import { App, type LaterViews, titleOf } from "./app.tsx";
import { describe } from "./describe.ts";
import { PublishView } from "./pages/publish.tsx";
import { TransferView } from "./pages/transfer.tsx";
import { TransfersView } from "./pages/transfers.tsx";
import { visible } from "./parts/format.ts";

/** Values that the build knows and the hub does not: see `tools/build-pages.ts`. */
declare const __ASSETS__: { readonly theme: string; readonly leaf: string };

const later: LaterViews = {
  publish: PublishView,
  transfers: TransfersView,
  transfer: TransferView,
};

/** Renders whole documents from the same components that the browser hydrates. */
const renderer: PageRenderer = {
  render(page: Page): Promise<string> {
    const html = renderToString(<Document page={page} />);
    return Promise.resolve(`<!doctype html>${html}`);
  },
};
// oxlint-disable-next-line import/no-default-export -- the contract of `PageRenderer`
export default renderer;

function Document(props: { readonly page: Page }) {
  const { page } = props;
  const { frame, model } = page;
  const title = `${visible(titleOf(model))} · ${visible(frame.siteName)}`;
  const description = describe(model);
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#fbfaf6" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#101412" media="(prefers-color-scheme: dark)" />
        <script src={__ASSETS__.theme} />
        {frame.assets.styles.map((href) => (
          <link key={href} rel="stylesheet" href={href} />
        ))}
        <link rel="icon" type="image/svg+xml" href={__ASSETS__.leaf} />
        {description === null ? (
          <meta name="robots" content="noindex" />
        ) : (
          <>
            <meta name="description" content={description} />
            <meta property="og:type" content="website" />
            <meta property="og:title" content={visible(titleOf(model))} />
            <meta property="og:description" content={description} />
            <meta property="og:site_name" content={visible(frame.siteName)} />
            <meta property="og:url" content={frame.url} />
          </>
        )}
        <script
          type="application/json"
          id="page"
          dangerouslySetInnerHTML={{ __html: JSON.stringify(page).replaceAll("<", "\\u003c") }}
        />
        {scriptsOf(page).map((src) => (
          <script key={src} type="module" src={src} />
        ))}
      </head>
      <body>
        <div id="app" class="page">
          <App page={page} later={later} />
        </div>
      </body>
    </html>
  );
}

function scriptsOf({ frame: { assets }, model }: Page): readonly string[] {
  const own = assets.ownScripts[model.kind];
  return own === undefined ? assets.scripts : [own];
}
