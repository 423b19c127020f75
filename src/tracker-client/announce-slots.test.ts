import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { AnnounceSlots } from "./announce-slots.ts";

/** Announces that run until the test ends them, by torrent. */
class Line {
  readonly #slots: AnnounceSlots;
  readonly #running: { readonly torrent: object; readonly end: () => void }[] = [];

  constructor(count: number) {
    this.#slots = new AnnounceSlots(count);
  }

  /** Asks for slots; the result tells whether each announce ran. */
  ask(torrent: object, count: number, signal = new AbortController().signal) {
    return Array.from({ length: count }, () =>
      this.#slots.run({ torrent, signal }, async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#running.push({ torrent, end: resolve });
        await promise;
        return true;
      }),
    );
  }

  /** Ends the oldest announce that runs. */
  async endOne(): Promise<object | undefined> {
    const first = this.#running.shift();
    first?.end();
    await turn();
    return first?.torrent;
  }

  running(...torrents: object[]): number[] {
    return torrents.map((each) => this.#running.filter(({ torrent }) => torrent === each).length);
  }
}

test("a torrent with many trackers leaves slots to torrents that come later", async () => {
  const line = new Line(8);
  const [a, b, c] = [{}, {}, {}];
  line.ask(a, 100);
  await turn();
  assert.deepEqual(line.running(a), [4]);
  line.ask(b, 100);
  line.ask(c, 1);
  await turn();
  assert.deepEqual(line.running(a, b, c), [4, 2, 1]);
});

test("torrents that wait get the slots in turn, and end up with equal shares", async () => {
  const line = new Line(12);
  const torrents = [{}, {}, {}];
  for (const torrent of torrents) line.ask(torrent, 1_000);
  for (let ended = 0; ended < 60; ended += 1) await line.endOne();
  assert.deepEqual(line.running(...torrents), [3, 3, 3]);
  const served = new Map<object | undefined, number>();
  for (let ended = 0; ended < 300; ended += 1) {
    const torrent = await line.endOne();
    served.set(torrent, (served.get(torrent) ?? 0) + 1);
  }
  assert.deepEqual(
    torrents.map((torrent) => served.get(torrent)),
    [100, 100, 100],
  );
});

test("no slot is left idle while torrents without one wait, and none waits for ever", async () => {
  const line = new Line(3);
  const torrents = Array.from({ length: 10 }, () => ({}));
  const ran = Promise.all(torrents.flatMap((torrent) => line.ask(torrent, 2)));
  await turn();
  assert.deepEqual(line.running(...torrents.slice(0, 4)), [2, 1, 0, 0]);
  for (let ended = 0; ended < 20; ended += 1) assert.ok(await line.endOne());
  assert.deepEqual(
    await ran,
    Array.from({ length: 20 }, () => true),
  );
});

test("an announce that is given up leaves the line, also as the last of its torrent", async () => {
  const line = new Line(1);
  const [a, b] = [{}, {}];
  const gone = new AbortController();
  line.ask(a, 1);
  const given = line.ask(b, 2, gone.signal);
  gone.abort();
  assert.deepEqual(await Promise.all(given), [undefined, undefined]);
  assert.deepEqual(await Promise.all(line.ask(b, 1, gone.signal)), [undefined]);
  const last = line.ask(a, 1);
  await turn();
  await line.endOne();
  await line.endOne();
  assert.deepEqual(await Promise.all(last), [true]);
});
