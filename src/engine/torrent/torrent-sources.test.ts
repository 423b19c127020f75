import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { PeerSource, SourceKind, SwarmView } from "../session-contract.ts";
import { TorrentSources, type TorrentSourcesOptions } from "./torrent-sources.ts";

const KINDS: readonly SourceKind[] = [
  "manual",
  "magnet",
  "resume",
  "incoming",
  "tracker",
  "dht",
  "pex",
  "lsd",
  "webrtc",
];
const PRIVATE: readonly SourceKind[] = ["manual", "incoming", "tracker"];

/** A torrent with a source of every kind, each of which records its calls. */
class World {
  readonly log: string[] = [];
  readonly views = new Map<SourceKind, SwarmView>();
  readonly torrent: { info: { private: boolean } | undefined };
  readonly sources: TorrentSources;
  /** The answer of a source that is detached now. */
  goodbye = Promise.resolve();

  constructor(isPrivate: boolean | undefined) {
    this.torrent = { info: isPrivate === undefined ? undefined : { private: isPrivate } };
    const options = {
      torrent: this.torrent,
      swarm: {
        offer: (_peers: unknown, kind: SourceKind) => this.log.push(`offered ${kind}`),
        keepOnly: (kinds: ReadonlySet<SourceKind>) =>
          this.log.push(`kept ${KINDS.filter((kind) => kinds.has(kind)).join(" ")}`),
      },
      host: {
        bursts: { run: (run: () => void) => run() },
        ports: { clock: { nowMs: () => 0 } },
        handleCandidates: () => undefined,
      },
      sources: KINDS.map((kind) => this.#source(kind)),
    };
    this.sources = new TorrentSources(options as unknown as TorrentSourcesOptions);
  }

  /** The calls since the last time. */
  take(): string[] {
    return this.log.splice(0);
  }

  offerAll(): string[] {
    for (const view of this.views.values()) view.offerPeers([]);
    return this.take();
  }

  #source(kind: SourceKind): PeerSource {
    return {
      kind,
      attach: (view) => {
        this.views.set(kind, view);
        this.log.push(`attached ${kind}`);
        return {
          handleMetadata: () => void this.log.push(`metadata ${kind}`),
          handleComplete: () => void this.log.push(`complete ${kind}`),
          detach: () => {
            this.log.push(`detached ${kind}`);
            return this.goodbye;
          },
        };
      },
    };
  }
}

const each = (word: string, kinds: readonly SourceKind[]): string[] =>
  kinds.map((kind) => `${word} ${kind}`);

test("BEP 27: a private torrent attaches trackers, and no source that finds peers in other ways", async () => {
  const world = new World(true);
  world.sources.handleOpened(false);
  assert.deepEqual(world.take(), each("attached", PRIVATE));
  assert.deepEqual(world.offerAll(), each("offered", PRIVATE));
  world.sources.handleComplete();
  await world.sources.detach();
  assert.deepEqual(world.take(), [...each("complete", PRIVATE), ...each("detached", PRIVATE)]);
});

test("BEP 27: a magnet link that turns out private ends the other sources, which cannot offer peers any more", async () => {
  const world = new World(undefined);
  world.sources.attach();
  assert.deepEqual(world.take(), each("attached", KINDS));
  assert.deepEqual(world.offerAll(), each("offered", KINDS));
  world.torrent.info = { private: true };
  world.sources.handleInfo();
  const others = KINDS.filter((kind) => !PRIVATE.includes(kind));
  assert.deepEqual(world.take(), [...each("detached", others), `kept ${PRIVATE.join(" ")}`]);
  assert.deepEqual(world.offerAll(), each("offered", PRIVATE));
  world.sources.handleOpened(false);
  assert.deepEqual(world.take(), each("metadata", PRIVATE));
  await world.sources.detach();
  assert.deepEqual(world.take(), each("detached", PRIVATE));
});

test("a public torrent keeps all sources, and each address the kind of its source", async () => {
  const world = new World(undefined);
  world.sources.attach();
  world.torrent.info = { private: false };
  world.sources.handleInfo();
  world.sources.handleOpened(false);
  assert.deepEqual(world.take(), [...each("attached", KINDS), ...each("metadata", KINDS)]);
  assert.deepEqual(world.offerAll(), each("offered", KINDS));
});

test("goodbyes of sources that ended early are waited for as well", async () => {
  const world = new World(undefined);
  const goodbye = Promise.withResolvers<void>();
  world.sources.attach();
  world.torrent.info = { private: true };
  world.goodbye = goodbye.promise;
  world.sources.handleInfo();
  world.goodbye = Promise.resolve();
  let isDone = false;
  const detached = world.sources.detach().then(() => (isDone = true));
  await setImmediate();
  assert.ok(!isDone);
  goodbye.resolve();
  await detached;
});
