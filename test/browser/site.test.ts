import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Download, Page } from "playwright-core";
import type { TorrentList } from "../../src/api/torrents.ts";
import { readZip } from "../hub/zip-reader.ts";
import {
  launchChromium,
  openPage,
  outsideName,
  seriousFindings,
  sidewaysPixels,
} from "./chromium.ts";
import { adminName, adminPassword, RealHub } from "./real-hub.ts";
import { fetchBytes, publishFolder, publishSmall, signIn } from "./steps.ts";

let browser: Browser;
let hub: RealHub;

before(async () => {
  browser = await launchChromium();
  hub = await RealHub.create(true);
});
after(async () => {
  await browser.close();
  await hub.remove();
});

/** @returns The token, which the account page shows only once. */
async function makeToken(page: Page, name: string): Promise<string> {
  // The form is open as long as there is no token.
  if (!(await page.getByLabel("What for").isVisible())) await page.getByText("New token").click();
  await page.getByLabel("What for").fill(name);
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByText("Copy it now").waitFor();
  return page.locator(".note .copy code").innerText();
}

/** Paths of the files in an archive that the browser received, below the torrent's folder. */
async function namesInZip(download: Download): Promise<string[]> {
  const entries = readZip(await readFile(await download.path()));
  return entries.map(({ name }) => name.replace(/^talks\//, ""));
}

async function findFile(folder: string, name: string): Promise<string> {
  const found = (await readdir(folder, { recursive: true })).find((entry) => entry.endsWith(name));
  assert.ok(found, name);
  return path.join(folder, found);
}

const payloads = [
  "<script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '" autofocus onfocus="alert(1)',
  "javascript:alert(1)",
  "[click](javascript:alert(1)) ![x](https://evil.example/pixel.gif)",
  "[click](data:text/html,<script>alert(1)</script>) <javascript:alert(1)>",
  "<iframe src=javascript:alert(1)>",
  "<a href=javascript:alert(1)>x</a>",
  "<body onload=alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<style>@import'http://evil.example/x.css'</style>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<meta http-equiv=refresh content=0;url=//evil.example>",
  "<base href=//evil.example>",
  "{{constructor.constructor('alert(1)')()}}",
  "<!--<script>alert(1)//-->",
  "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
  "\u2028alert(1)\u2029<plaintext>",
];

test("HUB-5: names that look like code are text on every page; nothing runs, nothing leaves", async () => {
  const { page, complaints } = await openPage(browser);
  await page.addInitScript(`addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI))`);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(hub.origin)) foreign.push(request.url());
  });
  await signIn(page, hub);
  for (const payload of payloads) {
    const id = await publishSmall(page, hub, payload, { comment: payload, source: payload });
    await page.goto(`${hub.origin}/t/${id}/x`);
    assert.equal(await page.locator("h1").count(), 1, payload);
    assert.ok((await page.locator("main").innerText()).includes("Health"), payload);
    assert.equal(await page.locator(".rich :is(img, script, iframe, svg)").count(), 0, payload);
    assert.equal(await page.locator('.rich a:not([href^="http"])').count(), 0, payload);
  }
  for (const path of [
    "/",
    "/publish",
    "/account",
    `/search?q=${encodeURIComponent(payloads[0]!)}`,
  ]) {
    await page.goto(hub.origin + path);
    await page.locator("h1").waitFor();
  }
  await page.goto(`${hub.origin}/account`);
  await makeToken(page, payloads[3]!);
  assert.deepEqual(complaints, []);
  assert.deepEqual(foreign, []);
  await page.context().close();
});

test("a session: wrong password, back to the page before, sign out (HUB-23)", async () => {
  const { page, complaints } = await openPage(browser);
  await page.goto(`${hub.origin}/login?next=${encodeURIComponent("/account")}`);
  await page.getByLabel("Name").fill(adminName);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Show password" }).click();
  assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("type"), "text");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("#problem").waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), adminName);
  await page.getByLabel("Password", { exact: true }).fill(adminPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${hub.origin}/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).first().waitFor();
  await page.goto(`${hub.origin}/publish`);
  assert.match(page.url(), /\/login\?next=%2Fpublish$/);
  await page.goto(`${hub.origin}/login?next=${encodeURIComponent("//evil.example/")}`);
  await page.getByLabel("Name").fill(adminName);
  await page.getByLabel("Password", { exact: true }).fill(adminPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  assert.equal(new URL(page.url()).origin, hub.origin);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("HUB-24: an API token is shown once, works, and can be revoked", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub, "/account");
  const token = await makeToken(page, "laptop");
  const ask = async () => {
    const response = await fetch(`${hub.origin}/api/v1/drafts`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask(), 200);
  await page.goto(`${hub.origin}/account`);
  assert.equal((await page.content()).includes(token), false);
  await page.getByRole("button", { name: "Revoke laptop" }).click();
  await page.getByRole("button", { name: "Revoke laptop" }).waitFor({ state: "detached" });
  assert.equal(await ask(), 401);
  await page.context().close();
});

test("live figures change without a reload; when the stream breaks, a bar reports it and the figures stay", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  const id = await publishSmall(page, hub, "live.txt", { kind: "v1" });
  await page.goto(`${hub.origin}/t/${id}/live`);
  await page.getByText("Kept by this hub, and nobody else yet").waitFor();
  assert.equal(await page.locator(".note.good").count(), 1, "nothing new is a warning");
  const infohash = (await page.locator(".copy code").allTextContents()).find((text) =>
    /^[0-9a-f]{40}$/.test(text),
  );
  const bytes = (infohash ?? "").replace(/../g, "%$&");
  const announce = `/announce?info_hash=${bytes}&peer_id=-XX0001-0123456789ab&port=7001&uploaded=0&downloaded=0`;
  await fetch(`${hub.origin}${announce}&left=0&compact=1`);
  await page.getByText("other has all of it").waitFor();
  assert.equal(await page.locator(".figures dd").first().innerText(), "1");
  await hub.stop();
  await page.getByText("Live figures paused").waitFor();
  assert.ok(await page.getByText("other has all of it").isVisible());
  await hub.start();
  await page.getByText("Live figures paused").waitFor({ state: "detached" });
  await page.context().close();
});

test("a folder needs one click, selected files one form, with and without JavaScript", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  const id = await publishFolder(page, hub, {
    "9.txt": "nine",
    "10.txt": "ten",
    "slides/1.txt": "slide",
  });
  await page.goto(`${hub.origin}/t/${id}/x`);
  const all = page.getByRole("link", { name: /^Download/ });
  assert.match(
    await page.locator(".take").innerText(),
    /All 3 files in one \.zip\. Nothing to install\./,
  );
  const [download] = await Promise.all([page.waitForEvent("download"), all.click()]);
  assert.match(download.suggestedFilename(), /\.zip$/);
  assert.deepEqual(await namesInZip(download), ["10.txt", "9.txt", "slides/1.txt"]);

  const take = page.locator(".choice button").first();
  assert.ok(await take.isDisabled(), "nothing is ticked");
  await page.getByLabel("Choose 10.txt").check();
  await page.getByLabel("Choose slides/1.txt").check();
  assert.equal((await take.innerText()).trim(), "Download 2 files, 8 B");
  const [some] = await Promise.all([page.waitForEvent("download"), take.click()]);
  assert.deepEqual(await namesInZip(some), ["10.txt", "slides/1.txt"]);
  await page.context().close();

  const { page: plain } = await openPage(browser, { javaScriptEnabled: false });
  await plain.goto(`${hub.origin}/t/${id}/x`);
  await plain.getByLabel("Choose 9.txt").check();
  const [one] = await Promise.all([
    plain.waitForEvent("download"),
    plain.getByRole("button", { name: "Download the ticked files" }).click(),
  ]);
  assert.deepEqual(await namesInZip(one), ["9.txt"]);
  await plain.context().close();
});

test("ticks survive paging and searching in a long list, and the files come in one .zip", async () => {
  const { page, complaints } = await openPage(browser);
  await signIn(page, hub);
  const names = Array.from({ length: 450 }, (_, at) => `part ${at + 1}.txt`);
  const id = await publishFolder(page, hub, Object.fromEntries(names.map((name) => [name, name])));
  await page.goto(`${hub.origin}/t/${id}/x`);
  const take = page.locator(".choice button").first();
  await page.getByLabel("Choose part 1.txt", { exact: true }).check();
  await page.getByLabel("Choose part 2.txt", { exact: true }).check();
  const turn = page.getByLabel("Pages of the file list");
  await turn.getByRole("link", { name: "Page 2", exact: true }).click();
  const later = page.getByLabel("Choose part 300.txt", { exact: true });
  await later.check();
  assert.match((await take.innerText()).trim(), /^Download 3 files/);
  await page.getByText("2 files of them not shown here.").waitFor();
  await page.getByLabel("Search the files").fill("no such file");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "Show all" }).click();
  assert.ok(await page.getByLabel("Choose part 2.txt", { exact: true }).isChecked());
  await page.getByLabel("Choose part 2.txt", { exact: true }).uncheck();
  const [some] = await Promise.all([page.waitForEvent("download"), take.click()]);
  assert.deepEqual(await namesInZip(some), ["part 1.txt", "part 300.txt"]);
  await page.getByRole("button", { name: "Untick all" }).click();
  assert.ok(await take.isDisabled());
  assert.ok(!(await page.getByLabel("Choose part 1.txt", { exact: true }).isChecked()));
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("HUB-19: open pages show damage as soon as a download finds it, and publishing again repairs it", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  // One piece each: a file that shares a piece with a lost one cannot be judged, and is not served.
  const pieceOf = (words: string): string => words.repeat(16_384).slice(0, 16_384);
  const files = {
    "lost tides.txt": pieceOf("in and out "),
    "kept tides.txt": pieceOf("up and down "),
  };
  const id = await publishFolder(page, hub, files);
  await page.goto(`${hub.origin}/t/${id}/x`);
  const link = page.getByRole("link", { name: "lost tides.txt" });
  const href = (await link.getAttribute("href")) ?? "";
  await page.getByText("Kept by this hub, and nobody else yet").waitFor();
  await rm(await findFile(path.join(hub.folder, "data/content"), "lost tides.txt"));
  assert.equal((await fetchBytes(page, href)).status, 500);

  await page.getByText("Not complete anywhere").waitFor();
  await page.getByText("1 of 2 files can be downloaded here, each on its own.").waitFor();
  assert.equal(await link.count(), 0);
  assert.match(await page.locator(".files").innerText(), /lost tides\.txt\s+damaged here/);
  assert.equal(await page.getByRole("link", { name: "kept tides.txt" }).count(), 1);
  assert.equal(await page.locator(`a[href$=".zip"]`).count(), 0);
  assert.equal(await page.locator(".figures dd").first().innerText(), "0");
  assert.match(
    await page.locator(".note").innerText(),
    /Publishing the same files here again repairs it/,
  );

  await publishFolder(page, hub, files);
  await page.getByText("Kept by this hub, and nobody else yet").waitFor();
  await link.waitFor();
  assert.equal((await fetchBytes(page, href)).body.toString(), files["lost tides.txt"]);
  await page.context().close();
});

test("a phone that scans the code opens the page, and finds the magnet link there", async () => {
  const { page } = await openPage(browser, { colorScheme: "dark" });
  await signIn(page, hub);
  const id = await publishSmall(page, hub, "Конспект лекции, второй день.pdf");
  await page.goto(`${hub.origin}/t/${id}`);
  await page.getByText("So far this link works on this machine only").waitFor();
  assert.equal(await page.getByRole("img", { name: "QR code" }).count(), 0);
  await page.goto(`http://${outsideName}:${hub.port}/t/${id}`);
  const picture = path.join(hub.folder, "code.png");
  await page.getByRole("img", { name: "QR code" }).screenshot({ path: picture });
  const reader = ["--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable", picture];
  const link = execFileSync("zbarimg", reader, { encoding: "utf8" }).trimEnd();
  assert.equal(link, page.url());
  const { page: phone } = await openPage(browser, { javaScriptEnabled: false });
  await phone.goto(link);
  const magnet = await phone
    .getByRole("link", { name: "Open in your program" })
    .getAttribute("href");
  assert.match(magnet ?? "", /^magnet:\?xt=urn:bt/);
  await phone.context().close();
  await page.context().close();
});

test("the catalogue: search, newest first, numbered pages, everything in the address, without JavaScript", async () => {
  const { page: signedIn } = await openPage(browser);
  await signIn(signedIn, hub);
  for (let index = 0; index < 55; index += 1)
    await publishSmall(signedIn, hub, `herring ${index}.txt`);
  await signedIn.context().close();

  const { page } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(hub.origin);
  assert.equal(await page.locator(".list > li").count(), 50);
  assert.match(await page.locator(".list > li").first().innerText(), /herring 54\.txt/);
  await page.getByRole("link", { name: "Next" }).click();
  assert.match(page.url(), /page=2/);
  assert.match(await page.locator(".pages [aria-current]").innerText(), /2/);
  await page.getByLabel("Search the catalogue").fill("herring 17");
  await page.getByRole("button", { name: "Search" }).click();
  assert.match(await page.locator(".list > li").first().innerText(), /herring 17\.txt/);
  await page.locator(".list .name").first().click();
  assert.equal(await page.locator("h1").innerText(), "herring 17.txt");
  assert.match(
    (await page.getByRole("link", { name: "Open in your program" }).getAttribute("href")) ?? "",
    /^magnet:/,
  );
  await page.goto(`${hub.origin}/search?q=hrering+17`);
  assert.match(await page.locator("main").innerText(), /Nothing for “hrering 17”, but 1 result/);
  assert.match(await page.locator(".list > li").innerText(), /herring 17\.txt/);
  await page.goto(`${hub.origin}/search?q=nosuchthing`);
  assert.match(await page.locator("main").innerText(), /Nothing for “nosuchthing”/);
  const missing = await page.goto(`${hub.origin}/t/zzzzzzzz/x`);
  assert.equal(missing?.status(), 404);
  assert.equal(await page.getByRole("search").count(), 1);
  await page.context().close();
});

test("HUB-3: a name that is not this hub's gets a page in the hub's look, all in one answer", async () => {
  const { page } = await openPage(browser, { colorScheme: "light" });
  // Every browser resolves names below localhost to this machine; the hub has none of them.
  const response = await page.goto(`http://elsewhere.localhost:${hub.port}/`);
  assert.equal(response?.status(), 421);
  await page.getByRole("heading", { name: "Not this hub" }).waitFor();
  const paper = 'getComputedStyle(document.querySelector("html")).backgroundColor';
  assert.equal(await page.evaluate(paper), "rgb(251, 250, 246)");
  assert.equal(await sidewaysPixels(page), 0);
  assert.equal(await page.getByText("allowedHosts").count(), 1);
  await page.context().close();
});

test("the real pages: no serious accessibility finding, no sideways scroll, no complaint", async () => {
  const { page: first } = await openPage(browser);
  await signIn(first, hub);
  const state = await first.context().storageState();
  const list = await first.context().request.get(`${hub.origin}/api/v1/torrents`);
  const { torrents } = (await list.json()) as TorrentList;
  await first.context().close();
  const paths = ["/", "/publish", "/account", "/login", "/nothing-here", `/t/${torrents[0]?.id}/x`];
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 390, 768, 1280]) {
      const viewport = { width, height: 800 };
      const { page, complaints } = await openPage(browser, {
        colorScheme,
        viewport,
        storageState: state,
      });
      for (const path of paths) {
        await page.goto(hub.origin + path);
        assert.equal(await sidewaysPixels(page), 0, `${path} at ${width}`);
        if (width !== 390) continue;
        assert.deepEqual(await seriousFindings(page), [], path);
      }
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  }
});
