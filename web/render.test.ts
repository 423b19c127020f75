import assert from "node:assert/strict";
import path from "node:path";
import { before, test } from "node:test";
import type { PageRenderer } from "../src/api/pages.ts";
import { buildPages, pagesAreStale } from "../tools/build-pages.ts";
import { pageModels, pageOf } from "./fixtures/page-models.ts";
import { hostileName } from "./fixtures/page-parts.ts";

const assets = { scripts: ["/assets/app.js"], ownScripts: {}, styles: ["/assets/app.css"] };
const documents = new Map<string, string>();
let renderer: PageRenderer;

before(async () => {
  if (await pagesAreStale()) await buildPages();
  const bundle: unknown = await import(path.join(import.meta.dirname, "dist/server/render.js"));
  renderer = (bundle as { readonly default: PageRenderer }).default;
  for (const name of Object.keys(pageModels)) {
    documents.set(name, await renderer.render(pageOf(name, assets)));
  }
});

/** Every start tag of a document, ignoring text inside scripts. */
function tags(html: string): string[] {
  const withoutScripts = html.replace(/(<script[^>]*>)[\s\S]*?<\/script>/g, "$1");
  return withoutScripts.match(/<[a-z][^>]*>/g) ?? [];
}

function count(html: string, pattern: RegExp): number {
  return html.match(pattern)?.length ?? 0;
}

test("every page has one heading, one main, a header, a footer, a language and a skip link", () => {
  for (const [name, html] of documents) {
    assert.match(html, /^<!doctype html><html lang="en">/, name);
    assert.equal(count(html, /<h1>/g), 1, name);
    assert.equal(count(html, /<main id="main"/g), 1, name);
    assert.equal(count(html, /<header /g), 1, name);
    assert.equal(count(html, /<footer /g), 1, name);
    assert.match(html, /<a class="skip" href="#main">/, name);
    assert.match(
      html,
      /<meta name="viewport" content="width=device-width, initial-scale=1"\/>/,
      name,
    );
  }
});

test("HUB-5: no page has an inline script, an inline style or an event attribute", () => {
  for (const [name, html] of documents) {
    for (const tag of tags(html)) {
      assert.doesNotMatch(tag, /\s(style|on[a-z]+)=/i, name);
      assert.doesNotMatch(tag, /^<style/i, name);
      if (tag.startsWith("<script"))
        assert.match(tag, /src="\/assets\/|type="application\/json"/, name);
    }
  }
});

test("HUB-4: every form that changes something carries the token of its page", () => {
  let forms = 0;
  for (const [name, html] of documents) {
    const token = '<input type="hidden" name="form-token" value="0{64}"/>';
    const posts = count(html, /<form [^>]*method="post"/gi);
    assert.equal(count(html, new RegExp(`<form method="post"[^>]*>${token}`, "g")), posts, name);
    forms += posts;
  }
  assert.ok(forms > 5);
});

test("the sign-in page says what to do about a forgotten password", () => {
  const html = documents.get("login");
  assert.match(html ?? "", /everseed hub setup-link/);
});

test("HUB-5: hostile names are text, and the page in the document cannot be left", () => {
  for (const [name, html] of documents) {
    assert.equal(html.includes("<script>alert"), false, name);
    assert.equal(html.includes("<img"), false, name);
    assert.equal(count(html, /<title>/g), 1, name);
    const held = /<script type="application\/json" id="page">([\s\S]*?)<\/script>/.exec(html)?.[1];
    assert.ok(held !== undefined && !held.includes("<"), name);
    const page: unknown = JSON.parse(held);
    assert.deepEqual(Object.keys(page as object), ["frame", "model"], name);
  }
  assert.ok(documents.get("torrent-hostile")?.includes("&lt;script>alert(1)"));
});

test("MET-4: text from outside is isolated, and direction marks are shown", () => {
  const html = documents.get("torrent-hostile") ?? "";
  const shown = html.replace(/<script type="application\/json"[\s\S]*?<\/script>/, "");
  assert.ok(hostileName.includes("\u202e"));
  const attributesLeft = shown.replace(/href="[^"]*"/g, "");
  assert.equal(attributesLeft.includes("\u202e"), false);
  assert.match(html, /<h1><bdi>/);
});

test("what trackers say is named and escaped on the page of a fetch", () => {
  const warned = documents.get("fetch-warned") ?? "";
  assert.match(warned, /1 tracker warns/);
  assert.match(warned, /<bdi>https:\/\/tracker\.example<\/bdi>: <bdi>This tracker moves/);
  assert.match(warned, /1 January\. \ufffd\[2J\ufffdtpircs/);
  assert.match(warned, /<details><summary>2 trackers do not help/);
  assert.match(documents.get("fetch-stalled-alone") ?? "", /<details open><summary>2 trackers/);
  assert.doesNotMatch(documents.get("fetch-stranger") ?? "", /trackers? (warns|does|do)/);
});

test("every control has a name, every id is unique", () => {
  for (const [name, html] of documents) {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? "");
    assert.equal(new Set(ids).size, ids.length, `${name}: ${ids.join(" ")}`);
    const labelled = new Set([...html.matchAll(/<label for="([^"]+)"/g)].map(([, id]) => id));
    for (const [input] of html.matchAll(/<input[^>]*>/g)) {
      const id = / id="([^"]+)"/.exec(input)?.[1];
      const named =
        /aria-label=|type="(hidden|radio|checkbox)"| hidden/.test(input) || labelled.has(id);
      assert.ok(named, `${name}: ${input}`);
    }
  }
});

test("times carry their exact value, sizes their bytes", () => {
  const html = documents.get("torrent") ?? "";
  assert.match(html, /<time datetime="[^"]+Z" title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC">/);
  assert.match(html, /title="2,469,606,195 bytes">2\.3 GiB</);
});

test("before setup there are no links; a stranger does not see Publish", () => {
  const before = documents.get("setup-elsewhere") ?? "";
  assert.equal(before.includes('<nav class="nav"'), false);
  const stranger = documents.get("catalogue-empty") ?? "";
  assert.equal(stranger.includes('href="/publish"'), false);
});

test("what can be shared has a preview, what cannot is not indexed", () => {
  assert.match(
    documents.get("torrent") ?? "",
    /<meta property="og:description" content="9 files, 2\.3 GiB\./,
  );
  assert.match(documents.get("account") ?? "", /<meta name="robots" content="noindex"\/>/);
});

test("the file list of 10,000 files has page links that work without JavaScript", () => {
  const html = documents.get("torrent-many-files") ?? "";
  assert.match(html, /<a href="\/torrent-many-files\?page=8" rel="next">Next<\/a>/);
  assert.match(
    html,
    /<form class="search" role="search" method="get" action="\/torrent-many-files">/,
  );
});

test("HUB-5: a stranger's link in a description has no endorsement and no referrer", () => {
  const html = documents.get("torrent-described") ?? "";
  assert.match(
    html,
    /<a href="https:\/\/harbour\.example\/talks" rel="nofollow ugc noopener noreferrer">Talks<\/a>/,
  );
});

test("BEP 46: a version of a publication has its link, and an older one leads to the newest", () => {
  const html = documents.get("torrent-version")!;
  assert.match(html, /<code[^>]*>magnet:\?xs=urn:btpk:[0-9a-f]{64}</);
  assert.match(html, /This hub keeps it alive in the DHT, last <time/);
  assert.doesNotMatch(html, /newer version of this/);
  const older = documents.get("torrent-older-version")!;
  assert.match(older, /There is a newer version of this/);
  assert.match(older, /<a href="https:\/\/hub\.example\/t\/m4k1d8bb\/harbour-talks">/);
  assert.match(older, /The DHT of this hub is off/);
  assert.doesNotMatch(documents.get("torrent")!, /btpk/);
});

test("a page with a script of its own names that one, which loads the others", async () => {
  const own = { ...assets, ownScripts: { publish: "/assets/publish.js" } };
  const scriptsIn = async (name: string): Promise<readonly string[]> => {
    const html = await renderer.render(pageOf(name, own));
    return tags(html).filter((tag) => tag.includes('type="module"'));
  };
  assert.deepEqual(await scriptsIn("publish"), ['<script type="module" src="/assets/publish.js">']);
  assert.deepEqual(await scriptsIn("login"), ['<script type="module" src="/assets/app.js">']);
});
