import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CDPSession, Page } from "playwright-core";
import type { DeclaredDraft } from "../../src/api/drafts.ts";
import { adminName, adminPassword, type RealHub } from "./real-hub.ts";

/** Signs in as a user does, and ends where `next` leads. */
export async function signIn(page: Page, hub: RealHub, next = "/publish"): Promise<void> {
  await page.goto(`${hub.origin}/login?next=${encodeURIComponent(next)}`);
  await page.getByLabel("Name").fill(adminName);
  await page.getByLabel("Password", { exact: true }).fill(adminPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${hub.origin}${next}`);
}

/** Chooses files or a folder with the picker's input, which a click on the button opens. */
export async function choose(
  page: Page,
  what: "Files" | "Folder",
  files: string | readonly string[],
) {
  await page.getByLabel(what, { exact: true }).setInputFiles(files);
}

/** Drops files or folders from the desktop onto the page, as the browser itself sees a drag. */
export async function drop(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  }
  await session.detach();
}

/** Presses Publish and waits for the torrent's own page. */
export async function publish(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.waitForURL(/\/t\//);
  await page.getByRole("heading", { name: "Health" }).waitFor();
}

/** The line between one tab and the hub. */
export class Line {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<Line> {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    return new Line(session);
  }

  /** Allows a test to act in the middle of an upload. */
  async slow(bytesPerSecond: number): Promise<void> {
    await this.#set(false, bytesPerSecond);
  }

  async cut(): Promise<void> {
    await this.#set(true, -1);
  }

  async free(): Promise<void> {
    await this.#set(false, -1);
  }

  async #set(offline: boolean, uploadThroughput: number): Promise<void> {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput };
    await this.#session.send("Network.emulateNetworkConditions", conditions);
  }
}

/** A folder of random files that no other test has; keys are paths, values bytes. */
export async function makeFolder(
  folder: string,
  files: Readonly<Record<string, number>>,
): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(folder, name);
    const content = randomBytes(bytes);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    contents.set(name, content);
  }
  return contents;
}

/** Requests a link of the page with the page's cookies. */
export async function fetchBytes(page: Page, href: string, headers: Record<string, string> = {}) {
  const response = await page.context().request.get(new URL(href, page.url()).href, { headers });
  return { status: response.status(), headers: response.headers(), body: await response.body() };
}

/** Publishes a folder of small files through the API, from a signed-in tab. @returns The torrent's id. */
export async function publishFolder(
  page: Page,
  hub: RealHub,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const list = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  return publishDraft(page, hub, {
    declaration: {
      name: "talks",
      folder: true,
      files: list.map(({ path, bytes }) => ({ path, size: bytes.length })),
    },
    contents: list.map(({ bytes }) => bytes),
  });
}

/** Publishes one small file through the API, from a signed-in tab. @returns The torrent's id. */
export async function publishSmall(
  page: Page,
  hub: RealHub,
  name: string,
  more: object = {},
): Promise<string> {
  const content = Buffer.from(`content of ${name} ${JSON.stringify(more)}`);
  const files = [{ path: name, size: content.length }];
  const declaration = { name, folder: false, files, ...more };
  return publishDraft(page, hub, { declaration, contents: [content] });
}

async function publishDraft(
  page: Page,
  hub: RealHub,
  { declaration, contents }: { declaration: object; contents: readonly Buffer[] },
): Promise<string> {
  const { request } = page.context();
  const headers = { origin: hub.origin };
  const declared = await request.post(`${hub.origin}/api/v1/drafts`, {
    headers,
    data: declaration,
  });
  assert.equal(declared.status(), 201, await declared.text());
  const draft = (await declared.json()) as DeclaredDraft;
  const sent = await request.fetch(`${hub.origin}${draft.uploadPath}`, {
    method: "PATCH",
    headers: {
      ...headers,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
    data: Buffer.concat(draft.order.map((index) => contents[index]!)),
  });
  assert.equal(sent.status(), 204, await sent.text());
  return draft.id;
}
