import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { type Preview, startPreview } from "../../tools/preview-pages.ts";
import { pageModels } from "../../web/fixtures/page-models.ts";
import { launchChromium, openPage, seriousFindings, sidewaysPixels } from "./chromium.ts";

const names = Object.keys(pageModels);
let preview: Preview;
let browser: Browser;

before(async () => {
  preview = await startPreview();
  browser = await launchChromium();
});
after(async () => {
  preview.close();
  await browser.close();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`no page has a serious accessibility finding, ${colorScheme}`, async () => {
    const { page, complaints } = await openPage(browser, { colorScheme, reducedMotion: "reduce" });
    for (const name of names) {
      await page.goto(`${preview.origin}/${name}`);
      assert.deepEqual(await seriousFindings(page), [], name);
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

for (const width of [320, 390, 768, 1280]) {
  test(`no page scrolls sideways at ${width} px`, async () => {
    const { page, complaints } = await openPage(browser, { viewport: { width, height: 800 } });
    for (const name of names) {
      await page.goto(`${preview.origin}/${name}`);
      assert.equal(await sidewaysPixels(page), 0, name);
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test("targets are at least 32 px, and 44 px high on a phone", async () => {
  for (const [width, pixelsMin] of [
    [1280, 32],
    [390, 44],
  ] as const) {
    const { page } = await openPage(browser, { viewport: { width, height: 800 } });
    for (const name of names) {
      await page.goto(`${preview.origin}/${name}`);
      const small = await page.evaluate<string[]>(`[...document.querySelectorAll(
        "button, summary, select, input:not([type=hidden], [type=radio], [type=checkbox], [type=file]), .btn, .nav a, .me, .pages a, .list .name, .foot a, .files .file, .files .box, .theme label"
      )].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 2)
        .filter((e) => (e.matches(".name") ? e.closest("li") : e).getBoundingClientRect().height < ${pixelsMin} - 0.5)
        .map((e) => e.outerHTML.slice(0, 120))`);
      assert.deepEqual(small, [], `${name} at ${width} px`);
    }
    await page.context().close();
  }
});

test("colour is never the only sign: every word for a state has a shape before it", async () => {
  const { page } = await openPage(browser);
  for (const name of names) {
    await page.goto(`${preview.origin}/${name}`);
    const bare = await page.evaluate<string[]>(`[...document.querySelectorAll(".state")]
      .filter((e) => getComputedStyle(e, "::before").content !== '""')
      .map((e) => e.outerHTML)`);
    assert.deepEqual(bare, [], name);
  }
  await page.context().close();
});

test("on a phone: the site's name, one column, the main button at full width", async () => {
  const { page } = await openPage(browser, { viewport: { width: 390, height: 800 } });
  for (const name of ["torrent", "torrent-one-file", "torrent-damaged"]) {
    await page.goto(`${preview.origin}/${name}`);
    const wide = (selector: string) =>
      page.evaluate<number>(
        `document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().width`,
      );
    assert.ok((await wide(".brand")) > 120, name);
    assert.ok(await page.getByText("Harbour archive").isVisible(), name);
    assert.equal(await wide(".take .btn.main"), 390 - 32, name);
    const lefts = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.card')].map((e) => e.getBoundingClientRect().left)",
    );
    assert.deepEqual(new Set(lefts), new Set([16]), name);
  }
  await page.context().close();
});

test("on a wide screen a page uses its full width, or is one centred column", async () => {
  const { page } = await openPage(browser, { viewport: { width: 1280, height: 800 } });
  const short = Object.entries(pageModels)
    .filter(([, { kind }]) => ["setup", "login", "message", "removed"].includes(kind))
    .map(([name]) => name);
  for (const name of ["torrent-one-file", "torrent-fresh", ...short]) {
    await page.goto(`${preview.origin}/${name}`);
    const middle = await page.evaluate<number>(`(() => {
      const { left, right } = document.querySelector("main > *").getBoundingClientRect();
      return (left + right) / 2 - document.documentElement.clientWidth / 2;
    })()`);
    assert.ok(Math.abs(middle) <= 1, `${name}: ${middle} px beside the middle`);
  }
  await page.context().close();
});

test("in print the addresses are complete, and nothing is left that cannot be pressed on paper", async () => {
  const { page } = await openPage(browser, { viewport: { width: 720, height: 1000 } });
  for (const name of ["torrent", "torrent-many-files"]) {
    await page.goto(`${preview.origin}/${name}`);
    await page.emulateMedia({ media: "print" });
    const cut = await page.evaluate<string[]>(`[...document.querySelectorAll(".copy code")]
      .filter((e) => !e.checkVisibility({ contentVisibilityAuto: true }) || e.scrollWidth > e.clientWidth + 1)
      .map((e) => e.textContent)`);
    assert.deepEqual(cut, [], name);
    assert.equal(
      await page.locator("button:visible, .btn:visible, input:visible").count(),
      0,
      name,
    );
    const hidden = await page.evaluate<number>(
      "(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector('.files'))",
    );
    assert.ok(hidden <= 1, `${name}: ${hidden} px of the list of files are hidden`);
  }
  await page.context().close();
});

test("help is one step away from every page, and explains the terms", async () => {
  const { page } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(`${preview.origin}/torrent`);
  for (const name of ["New here?", "Help", "How it works"]) {
    assert.equal(await page.getByRole("link", { name, exact: true }).getAttribute("href"), "/help");
  }
  await page.goto(`${preview.origin}/help`);
  for (const word of ["Magnet link", "Seed", "Tracker"]) {
    assert.equal(await page.locator("dt", { hasText: word }).count(), 1, word);
  }
  for (const system of ["Windows", "macOS", "Linux", "Android", "iPhone, iPad", "A terminal"]) {
    assert.equal(await page.getByRole("row", { name: system }).count(), 1, system);
  }
  await page.context().close();
});

test("the first view of a page is one document, one stylesheet, and nothing from elsewhere", async () => {
  const { page } = await openPage(browser);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${preview.origin}/catalogue`, { waitUntil: "networkidle" });
  for (const url of requests) assert.ok(url.startsWith(preview.origin), url);
  // The script is two files: pages that load more later share one of them.
  assert.ok(requests.length <= 6, requests.join("\n"));
  await page.context().close();
});

test("the theme switch overrides the system, also on the next page and before the first paint", async () => {
  const { page } = await openPage(browser, { colorScheme: "light" });
  const paper = () =>
    page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
  await page.goto(`${preview.origin}/catalogue`);
  const light = await paper();
  await page.getByText("Dark", { exact: true }).click();
  const dark = await paper();
  assert.notEqual(dark, light);
  await page.goto(`${preview.origin}/publish`);
  assert.equal(await paper(), dark);
  await page.getByText("System", { exact: true }).click();
  assert.equal(await paper(), light);
  await page.context().close();
});

test("without JavaScript nothing that needs it is shown, and everything else is readable", async () => {
  const { page } = await openPage(browser, { javaScriptEnabled: false });
  for (const name of names) {
    await page.goto(`${preview.origin}/${name}`);
    assert.equal(await page.locator(".js-only:visible").count(), 0, name);
    assert.equal(await page.locator("h1:visible").count(), 1, name);
  }
  await page.goto(`${preview.origin}/torrent`);
  assert.match(
    (await page.getByRole("link", { name: "Open in your program" }).getAttribute("href")) ?? "",
    /^magnet:\?xt=/,
  );
  assert.equal(await page.getByRole("link", { name: "01 opening.webm" }).count(), 1);
  await page.goto(`${preview.origin}/publish`);
  assert.ok(await page.getByText("Uploading files needs JavaScript").isVisible());
  await page.context().close();
});
