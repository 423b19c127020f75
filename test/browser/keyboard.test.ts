import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium, openPage } from "./chromium.ts";
import { RealHub } from "./real-hub.ts";
import { publishSmall, signIn } from "./steps.ts";

// What users can do with the keyboard alone.

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

const focused = (page: Page) =>
  page.evaluate<string>(
    "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()",
  );
const searchHasFocus = (page: Page) =>
  page.evaluate<boolean>("document.activeElement.matches('input[type=search]')");

/** A page listens to keys a moment after it is shown: presses the key until the page reacts, as a user would. */
async function openKeys(page: Page, key = "?"): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Keys" });
  for (let times = 0; times < 200 && !(await dialog.isVisible()); times += 1) {
    await page.keyboard.press(key);
  }
  await dialog.waitFor();
}
async function closeKeys(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" });
}
/** The catalogue focuses its search when it listens. */
const listening = (page: Page) => page.locator("input[type=search]:focus").waitFor();

test("g and a letter lead to the pages, / leads to the search from any page; strangers sign in first", async () => {
  const { page, complaints } = await openPage(browser);
  await signIn(page, hub, "/account");
  await publishSmall(page, hub, "rope.txt");
  for (const [keys, path] of [
    ["g p", "/publish"],
    ["g c", "/"],
    ["g a", "/account"],
  ] as const) {
    if (path === "/account") await listening(page);
    else await openKeys(page);
    await closeKeys(page);
    for (const key of keys.split(" ")) await page.keyboard.press(key);
    await page.waitForURL(hub.origin + path);
  }
  await openKeys(page);
  await closeKeys(page);
  await page.keyboard.press("/");
  await page.waitForURL(`${hub.origin}/`);
  await listening(page);
  await page.keyboard.type("g p / ? j");
  assert.equal(await page.getByLabel("Search the catalogue").inputValue(), "g p / ? j");
  assert.equal(page.url(), `${hub.origin}/`);
  assert.deepEqual(complaints, []);
  await page.context().close();

  const { page: stranger } = await openPage(browser);
  await stranger.goto(`${hub.origin}/search?q=rope`);
  await listening(stranger);
  await stranger.keyboard.press("Escape");
  await stranger.keyboard.press("g");
  // Strangers cannot publish: neither the menu nor the keys offer it.
  await stranger.keyboard.press("p");
  await stranger.keyboard.press("/");
  assert.ok(await searchHasFocus(stranger));
  assert.match(stranger.url(), /\/search/);
  await stranger.keyboard.press("Escape");
  await stranger.keyboard.press("g");
  await stranger.keyboard.press("a");
  await stranger.waitForURL(`${hub.origin}/login?next=%2Faccount`);
  await stranger.context().close();
});

test("j and k move through the catalogue, Enter opens", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  for (const name of ["lantern 1.txt", "lantern 2.txt", "lantern 3.txt"]) {
    await publishSmall(page, hub, name);
  }
  await page.goto(`${hub.origin}/search?q=lantern`);
  await listening(page);
  await page.keyboard.press("Escape");
  const met: string[] = [];
  for (const key of ["j", "j", "j", "j", "k", "k", "k"]) {
    await page.keyboard.press(key);
    met.push((await focused(page)).replaceAll(/\D/g, ""));
  }
  assert.deepEqual(met, ["3", "2", "1", "1", "2", "3", "3"]);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "lantern 3.txt" }).waitFor();
  await page.context().close();
});

test("dialogs keep the focus inside and return it afterwards", async () => {
  const { page } = await openPage(browser);
  await signIn(page, hub);
  const dialog = page.getByRole("dialog", { name: "Keys" });
  await page.getByRole("button", { name: "Keys" }).focus();
  for (const [open, close] of [
    ["Enter", "Escape"],
    ["?", "Enter"],
  ] as const) {
    await openKeys(page, open);
    for (let times = 0; times < 5; times += 1) {
      await page.keyboard.press("Tab");
      const outside =
        "!document.activeElement.closest('dialog') && document.activeElement !== document.body";
      assert.equal(await page.evaluate(outside), false);
    }
    await dialog.getByRole("button", { name: "Close" }).focus();
    await page.keyboard.press(close);
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await focused(page), "Keys");
  }
  await page.context().close();
});

test("a password field reports caps lock, and stops when it is off or the field is left", async () => {
  const { page } = await openPage(browser);
  await page.goto(`${hub.origin}/login`);
  const field = page.getByLabel("Password", { exact: true });
  const hint = page.getByText("Caps lock is on.");
  // A driven browser cannot turn caps lock on; the test sends the event that the page would see.
  const type = (modifierCapsLock: boolean) =>
    field.dispatchEvent("keydown", { key: "a", modifierCapsLock });
  await field.focus();
  for (let times = 0; times < 200 && !(await hint.isVisible()); times += 1) await type(true);
  await hint.waitFor();
  assert.equal(await page.locator("#password-caps").getAttribute("role"), "status");
  await type(false);
  await hint.waitFor({ state: "detached" });
  await type(true);
  await hint.waitFor();
  await page.getByLabel("Name").focus();
  await hint.waitFor({ state: "detached" });
  await page.context().close();
});

test("the first Tab offers to skip to the content", async () => {
  const { page } = await openPage(browser);
  await page.goto(`${hub.origin}/nothing-here`);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the content");
  assert.ok(await page.getByText("Skip to the content").isVisible());
  await page.keyboard.press("Enter");
  assert.match(page.url(), /#main$/);
  await page.context().close();
});
