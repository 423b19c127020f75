import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeclaredDraft, DraftInput } from "../../src/api/drafts.ts";
import { DRAFTS_PATH, draftPath } from "../../src/api/paths.ts";
import type { ProblemCode } from "../../src/api/problem.ts";
import type { TorrentSummary } from "../../src/api/torrents.ts";
import { concatBytes, encodeUtf8 } from "../../src/base/bytes.ts";
import type { UploadPorts } from "../../src/commands/command-ports.ts";
import {
  publishContent,
  type PublishEvent,
  type PublishOptions,
} from "../../src/commands/publish-content.ts";
import { namesTorrent, publishTorrent } from "../../src/commands/publish-torrent.ts";
import { unpublish } from "../../src/commands/unpublish.ts";
import type { HttpAnswer, HttpRequest, UploadOutcome, UploadRequest } from "../../src/ports/net.ts";
import { type CommandMachine, HOME, NEVER, SimulatedWorld, someBytes } from "./simulated-world.ts";

const HUB = "https://hub.example";
const TIDES = someBytes(1, 300_000);
const NOTES = someBytes(2, 700);
/** The hub asks for the files in this order. */
const ORDER = [1, 0];
const WHOLE = concatBytes([TIDES, NOTES]);
const CHUNK_BYTES = 65_536;

/** A hub that answers declarations and accepts uploads, in simulated time; a test may make it fail. */
class SimulatedHub {
  readonly asked: string[] = [];
  declared: DraftInput | undefined;
  received: Uint8Array = new Uint8Array(0);
  /** Refuses the next request. */
  problem: { readonly status: number; readonly code: ProblemCode } | undefined;
  /** The network's error code, as long as the hub is unreachable. */
  away: string | undefined;
  /** Time between the last byte and the publication. */
  looksLeft = 2;
  readonly #world: SimulatedWorld;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  ports({ ports, files }: CommandMachine): UploadPorts {
    return {
      files,
      clock: ports.clock,
      calls: { send: (request) => this.#send(request) },
      uploads: { upload: (request) => this.#upload(request) },
    };
  }

  async #send(request: HttpRequest): Promise<HttpAnswer> {
    await this.#wait(20);
    if (this.away !== undefined) throw Object.assign(new Error("refused"), { code: this.away });
    const { method, url, headers, body } = request;
    const path = new URL(url).pathname;
    this.asked.push(`${method} ${path}`);
    assert.equal(headers["authorization"], "Bearer secret");
    if (this.problem) {
      const { status, code } = this.problem;
      return answer(status, { error: { code, message: "The disk of the hub is full." } });
    }
    if (method === "POST" && path === DRAFTS_PATH) {
      this.declared = JSON.parse(String(body)) as DraftInput;
      return answer(201, this.#draft());
    }
    assert.equal(path, draftPath("k3f9"));
    this.looksLeft -= 1;
    return answer(200, this.#draft());
  }

  async #upload({ url, size, read, onProgress, signal }: UploadRequest): Promise<UploadOutcome> {
    assert.equal(url, `${HUB}/upload/k3f9`);
    assert.equal(size, WHOLE.length);
    while (this.received.length < size) {
      let chunk: Uint8Array;
      try {
        const start = this.received.length;
        chunk = await read(start, Math.min(start + CHUNK_BYTES, size));
      } catch (cause) {
        return { kind: "failed", cause };
      }
      await this.#wait(100);
      signal.throwIfAborted();
      if (this.away !== undefined) {
        return { kind: "failed", cause: Object.assign(new Error("reset"), { code: this.away }) };
      }
      this.received = concatBytes([this.received, chunk]);
      onProgress(this.received.length);
    }
    return { kind: "done" };
  }

  #draft(): DeclaredDraft {
    const { name, folder, files } = this.declared!;
    const isPublished = this.received.length === WHOLE.length && this.looksLeft <= 0;
    return {
      id: "k3f9",
      name,
      folder,
      fileCount: files.length,
      size: WHOLE.length,
      offset: this.received.length,
      kind: "v1",
      pieceSize: 65_536,
      private: false,
      createdAt: "2026-01-01T00:00:00.000Z",
      state: isPublished ? "published" : "uploading",
      problem: null,
      uploadPath: "/upload/k3f9",
      pageUrl: `${HUB}/t/k3f9/talks`,
      torrent: isPublished ? summary(name) : null,
      order: ORDER,
      renamed: [],
      resumed: this.received.length > 0,
    };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.simulation.startTimer(ms, resolve));
  }
}

function summary(name: string): TorrentSummary {
  return {
    id: "k3f9",
    name,
    size: WHOLE.length,
    fileCount: 2,
    kind: "v1",
    private: false,
    publishedAt: "2026-01-01T00:00:00.000Z",
    publishedBy: "ann",
    infohashV1: "a".repeat(40),
    infohashV2: null,
    magnet: `magnet:?xt=urn:btih:${"a".repeat(40)}`,
    pageUrl: `${HUB}/t/k3f9/talks`,
    torrentUrl: `${HUB}/t/k3f9.torrent`,
    swarm: {
      seeds: 1,
      leechers: 0,
      completed: 0,
      uploadBytesPerSecond: 0,
      uploaded: 0,
      fault: null,
      dht: null,
    },
  };
}

function answer(status: number, body: unknown): HttpAnswer {
  return { status, location: undefined, body: encodeUtf8(JSON.stringify(body)) };
}

function scene(seed: number) {
  const world = new SimulatedWorld(seed);
  const machine = world.machine();
  machine.disk.put(`${HOME}/talks/notes.txt`, NOTES);
  machine.disk.put(`${HOME}/talks/tides.bin`, TIDES);
  const hub = new SimulatedHub(world);
  const events: PublishEvent[] = [];
  const publish = (options: Partial<PublishOptions> = {}) =>
    publishContent(hub.ports(machine), {
      path: "talks",
      hub: HUB,
      token: "secret",
      name: undefined,
      comment: undefined,
      kind: "v1",
      pieceSize: "auto",
      private: false,
      onEvent: (event) => void events.push(event),
      signal: NEVER,
      ...options,
    });
  return { world, machine, hub, events, publish };
}

test("publish, from the declaration to the page: the hub gets every byte in the order that it requested", async () => {
  const { world, hub, events, publish } = scene(31);
  const published = await world.run(publish(), 60_000);
  assert.deepEqual(published, {
    name: "talks",
    bytes: WHOLE.length,
    infohashV1: "a".repeat(40),
    infohashV2: null,
    magnet: `magnet:?xt=urn:btih:${"a".repeat(40)}`,
    torrentUrl: `${HUB}/t/k3f9.torrent`,
    pageUrl: `${HUB}/t/k3f9/talks`,
    existed: false,
  });
  assert.deepEqual(Buffer.from(hub.received), Buffer.from(WHOLE));
  const kinds = [...new Set(events.map(({ kind }) => kind))];
  assert.deepEqual(kinds, ["found", "uploading", "sent"]);
  assert.deepEqual(events.at(-1), { kind: "sent", bytes: WHOLE.length });
});

test("publish: cancelled, then with the hub unreachable, then again: it resumes where it stopped", async () => {
  const { world, hub, events, publish } = scene(32);
  const signal = world.signalAfter(250);
  await assert.rejects(world.run(publish({ signal }), 60_000), { message: "the person ends it" });
  const sent = hub.received.length;
  assert.ok(sent > 0 && sent < WHOLE.length, `${sent} bytes`);

  hub.away = "ECONNREFUSED";
  await assert.rejects(world.run(publish(), 60_000), {
    code: "unreachable",
    detail: /does not answer\. No program listens there\./,
  });
  hub.away = undefined;
  world.simulation.startTimer(250, () => {
    hub.away = "ECONNRESET";
  });
  await assert.rejects(world.run(publish(), 60_000), { code: "unreachable" });

  hub.away = undefined;
  events.length = 0;
  await world.run(publish(), 60_000);
  const [going] = events.filter((event) => event.kind === "uploading");
  assert.ok(going && going.offset >= sent, JSON.stringify(going));
  assert.deepEqual(Buffer.from(hub.received), Buffer.from(WHOLE));
});

test("publish: a full disk of the hub, and a file that changes during the upload, end it with a message", async () => {
  const { world, machine, hub, publish } = scene(33);
  hub.problem = { status: 507, code: "disk_full" };
  await assert.rejects(world.run(publish(), 60_000), {
    code: "disk-full",
    detail: /disk of the hub/,
  });
  hub.problem = undefined;
  world.simulation.startTimer(100, () => {
    machine.disk.put(`${HOME}/talks/notes.txt`, someBytes(4, 701));
  });
  await assert.rejects(world.run(publish(), 60_000), { code: "changed" });
});

test("publish: what identifies a torrent, and what is not a page of a hub", async () => {
  const { world, machine, hub } = scene(34);
  assert.deepEqual(["magnet:?xt=", "https://x/", "a.TORRENT", "talks"].map(namesTorrent), [
    true,
    true,
    true,
    false,
  ]);
  const ports = { ...hub.ports(machine), openFetch: machine.ports.openFetch };
  const ofNothing = publishTorrent(ports, {
    source: "nothing.torrent",
    hub: HUB,
    token: "secret",
    onEvent: () => assert.fail("there is nothing to fetch"),
    signal: NEVER,
  });
  await assert.rejects(world.run(ofNothing, 60_000), { code: "not-found" });
  const elsewhere = unpublish(ports, { url: `${HUB}/about`, token: "secret", signal: NEVER });
  await assert.rejects(world.run(elsewhere, 60_000), { code: "bad-plan" });
  assert.deepEqual(hub.asked, []);
});
