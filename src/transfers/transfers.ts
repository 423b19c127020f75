import type { EngineTorrent } from "../engine/session-contract.ts";
import type { Timer } from "../ports/clock.ts";
import type { TransferCounts, TransferFilter, TransferRow } from "../store/transfers.ts";
import { AbsentContents } from "./absent-contents.ts";
import { AnnounceTurns } from "./announce-turns.ts";
import { ChoreRunner } from "./chore-runner.ts";
import { ContentTaking } from "./content-taking.ts";
import { DownloadQueue } from "./download-queue.ts";
import { findByWords } from "./find-by-words.ts";
import { KnownContents } from "./known-contents.ts";
import { LabelRates } from "./label-rates.ts";
import type { QueueMove } from "./queue-moves.ts";
import { prepareFolder, prepareOnce, refuseRelative } from "./prepare-folder.ts";
import { RemovedLately } from "./removed-lately.ts";
import { RunningTransfers } from "./running-transfers.ts";
import { type RatesNow, ratesNow, weekMoment } from "./rate-schedule.ts";
import { ShareEnds } from "./share-ends.ts";
import { ShelfSweep } from "./shelf-sweep.ts";
import { SeedRest } from "./seed-rest.ts";
import { SleepingSeeds } from "./sleeping-seeds.ts";
import {
  type AddOutcome,
  type AddTransfer,
  type GivenTorrent,
  TransferAdding,
} from "./transfer-adding.ts";
import { TransferContents } from "./transfer-contents.ts";
import { TransferDetails } from "./transfer-details.ts";
import { refuseUnusable, type TransferEdit, TransferEdits } from "./transfer-edits.ts";
import { type Transfer, type TransferPage, transferOf } from "./transfer.ts";
import { eventOf } from "./transfer-events.ts";
import { TransferLines } from "./transfer-lines.ts";
import { infohashesOf, isWanted, rowState } from "./transfer-row.ts";
import {
  DEFAULT_TRANSFER_SETTINGS,
  loadSettings,
  saveSettings,
  type TransferSettings,
  type TransferSettingsChange,
  withChange,
} from "./transfer-settings.ts";
import type { TransfersOptions } from "./transfers-options.ts";
import { TransferTotals } from "./transfer-totals.ts";
import { TransferShelf } from "./transfer-shelf.ts";
import { TransferWatch, type TransferNews } from "./transfer-watch.ts";
import { TransfersError } from "./transfers-error.ts";
import { UpTime } from "./up-time.ts";

const TICK_MS = 1_000;
/** A kill loses at most the figures of this time. */
const SAVE_MS = 60_000;
/** Pause between two seeds that are woken at the start: the first page comes before them. */
const WAKE_PAUSE_MS = 20;

/**
 * The torrents that a node keeps for its owner: downloads in the order of a queue, and seeds that sleep as rows until a
 * peer asks for them or their turn to be announced comes. Whatever was acknowledged survives a kill.
 */
export class Transfers {
  readonly #options: TransfersOptions;
  /** The files, peers and trackers of each. */
  readonly details: TransferDetails;
  readonly totals: TransferTotals;
  readonly removed: RemovedLately;
  /** Their files as streams. */
  readonly contents: TransferContents;
  readonly #shelf: TransferShelf;
  readonly #lines = new TransferLines();
  readonly #running: RunningTransfers;
  readonly #taking: ContentTaking;
  readonly #absent: AbsentContents;
  readonly #queue: DownloadQueue;
  readonly #turns: AnnounceTurns;
  readonly #rest: SeedRest;
  readonly #shares: ShareEnds;
  readonly #watch: TransferWatch;
  readonly #adding: TransferAdding;
  readonly #edits: TransferEdits;
  readonly #chores: ChoreRunner;
  readonly #asleep: SleepingSeeds;
  readonly #upTime: UpTime;
  readonly #sweep: ShelfSweep;
  readonly #labelRates: LabelRates;
  #settings: TransferSettings;
  #timer: Timer | undefined;
  #wakeTimer: Timer | undefined;
  #savedMs: number;
  #isOpen = false;

  constructor(options: TransfersOptions) {
    this.#options = options;
    const { transfers, engine, clock, log } = options;
    this.#settings = options.defaults ?? DEFAULT_TRANSFER_SETTINGS;
    this.#savedMs = clock.nowMs();
    const lines = this.#lines;
    const upTime = (this.#upTime = new UpTime(options));
    this.#shelf = new TransferShelf({ ...options, folder: options.stateFolder });
    const known = new KnownContents({ ...options, shelf: this.#shelf });
    const taking = (this.#taking = new ContentTaking({
      known,
      shelf: this.#shelf,
      below: options.contentBelow,
      hardLinks: options.hardLinks === true,
      clock,
      log,
      onChanged: (id) => this.#watch.handleChange(id),
      onEnded: (id) => this.#openInLine(id),
    }));
    const running = (this.#running = new RunningTransfers({
      ...options,
      known,
      taking,
      shelf: this.#shelf,
      lines,
      upTime,
      onChanged: (id) => this.#watch.handleChange(id),
      onFinished: (row, { path, isNews }) => {
        this.#queue.handleChange();
        if (isNews) options.onEvent?.(eventOf("finished", row, { path }));
      },
      onFailed: (row, { message }) => options.onEvent?.(eventOf("failed", row, { message })),
      onSeeded: (row, isOne) => this.#tellSeeded(row, isOne),
    }));
    const settings = (): TransferSettings => this.#settings;
    this.#queue = new DownloadQueue({ transfers, running, taking, lines, settings, clock, log });
    this.#shares = new ShareEnds({ transfers, running, lines, settings, upTime, log });
    const sleeping = new SleepingSeeds({ running, shares: this.#shares, engine, log });
    this.#asleep = sleeping;
    this.#rest = new SeedRest({ running, lines, sleeping, settings, clock, log });
    this.#labelRates = new LabelRates(engine);
    const onBack = (): void => this.#queue.handleChange();
    this.#absent = new AbsentContents({ ...options, running, lines, shelf: this.#shelf, onBack });
    this.#turns = new AnnounceTurns({
      transfers,
      clock,
      log,
      take: (row, isFirst) => sleeping.takeTurn(row, isFirst),
    });
    this.#sweep = new ShelfSweep({ ...options, folder: `${options.stateFolder}/transfers` });
    this.#watch = new TransferWatch({ find: (id) => this.find(id), running, clock });
    this.#adding = new TransferAdding({
      ...options,
      shelf: this.#shelf,
      onAdded: (row) => {
        this.totals.handleAdded();
        options.sleeping?.add(infohashesOf(row));
        this.#watch.handleChange(row.id);
        options.onEvent?.(eventOf("added", row));
      },
    });
    this.#chores = new ChoreRunner({
      ...options,
      shelf: this.#shelf,
      running,
      lines,
      onMoved: () => this.#queue.handleChange(),
      onRemoved: (row) => {
        this.removed.handleRemoved(row.seq);
        options.sleeping?.delete(infohashesOf(row));
        taking.forget(row.id);
        running.past.forget(row.id);
        this.#watch.handleChange(row.id);
        options.onEvent?.(eventOf("removed", row));
      },
    });
    this.#edits = new TransferEdits({ ...options, running });
    this.totals = new TransferTotals({ ...options, running, upTime: this.#upTime });
    this.removed = new RemovedLately(clock);
    this.details = new TransferDetails({ ...options, running, shelf: this.#shelf });
    const isOpen = (): boolean => this.#isOpen;
    this.contents = new TransferContents({ transfers, running, lines, clock, isOpen });
  }

  // ---- Beginning and end ---------------------------------------------------------------------------

  /** Carries on where the last run ended. It reads what has to run now; everything else stays a row. */
  async begin(): Promise<void> {
    const { settings, transfers } = this.#options;
    this.#settings = await loadSettings(settings, this.#settings);
    await this.#upTime.load();
    await this.totals.load();
    await this.#running.past.load();
    this.#isOpen = true;
    this.#setRates();
    this.#labelRates.set(this.#settings.labels);
    for (const { id } of await transfers.withChores()) this.#chores.carryOn(id);
    this.#queue.handleChange();
    this.#turns.start();
    this.#sweep.start();
    this.#schedule();
    const seeds = await transfers.busiestSeeds(this.#settings.idleSeedsMax);
    this.#wakeNext(seeds.map(({ id }) => id));
  }

  /** Says goodbye to peers and trackers and makes everything durable. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#wakeTimer?.cancel();
    this.#queue.stop();
    this.#turns.stop();
    this.#sweep.stop();
    await this.#lines.settle();
    await this.#taking.stop();
    const ids = Array.from(this.#running.all(), ({ id }) => id);
    await Promise.all(ids.map((id) => this.#running.close(id)));
    await this.#upTime.save();
    await this.totals.save();
    await this.#running.past.save(true);
  }

  // ---- Adding ----------------------------------------------------------------------------------------

  /** @throws {TransfersError} (rejects) `bad-source`; `exists`, unless it is to be merged; the disk's refusal. */
  async add(given: GivenTorrent, how: AddTransfer = {}): Promise<Transfer> {
    const [outcome] = await this.addAll([given], how);
    if (outcome!.kind === "refused") throw outcome!.error;
    const { id } = outcome!;
    if (outcome!.kind === "known" && how.merge)
      await this.edit(id, await this.#adding.news(given, how));
    const transfer = await this.find(id);
    if (!transfer) throw new TransfersError("not-found", "It was removed at the same moment.");
    if (outcome!.kind === "added" || how.merge) return transfer;
    const what = `${transfer.name} is here already, as ${id}; --merge gives it the new trackers.`;
    throw new TransfersError("exists", what);
  }

  /**
   * Adds many, several hundred in each transaction.
   *
   * @throws {TransfersError} (rejects) When the folder cannot be used, or the node is stopping.
   */
  async addAll(given: readonly GivenTorrent[], how: AddTransfer = {}): Promise<AddOutcome[]> {
    this.#demandOpen();
    refuseUnusable({ addTrackers: how.choices?.ownTrackers, addPeers: how.choices?.peers });
    const root = how.root ?? this.downloadFolder;
    // What adds nothing makes no folder.
    const prepare = prepareOnce(this.#options.content, root);
    const outcomes = await this.#adding.addAll(given, { ...how, root, prepare });
    this.#queue.handleChange();
    return outcomes;
  }

  // ---- Looking -----------------------------------------------------------------------------------------

  async find(id: string): Promise<Transfer | undefined> {
    const awake = this.#running.get(id);
    const row = awake?.row ?? (await this.#options.transfers.find(id));
    return row && this.#show(row);
  }

  /** A page in the order of adding. @param after - `next` of the page before; 0 begins with the first. */
  async list(after = 0, limit = 1_000, filter: TransferFilter = {}): Promise<TransferPage> {
    const rows = await this.#options.transfers.after(after, limit, filter);
    return {
      transfers: rows.map((row) => this.#show(this.#running.get(row.id)?.row ?? row)),
      next: rows.length === limit ? rows.at(-1)!.seq : undefined,
    };
  }

  /** The folders that hold content, each once, at most `limit`. */
  async roots(limit: number): Promise<readonly string[]> {
    return this.#options.transfers.roots(limit);
  }

  async counts(): Promise<TransferCounts> {
    return this.#options.transfers.counts();
  }

  /**
   * Finds a transfer by its id, the beginning of it while no other begins so, or its exact name.
   *
   * @throws {TransfersError} (rejects) `not-found`, `ambiguous`.
   */
  async resolve(words: string): Promise<Transfer> {
    const row = await findByWords(this.#options.transfers, words);
    return this.#show(this.#running.get(row.id)?.row ?? row);
  }

  /** Follows every transfer. @returns Ends it. */
  watch(listener: (news: TransferNews) => void): () => void {
    return this.#watch.add(listener);
  }

  #show(row: TransferRow): Transfer {
    const { id } = row;
    return transferOf(row, this.#running.get(id), {
      before: this.#queue.before(id),
      upMs: this.#upTime.nowMs(),
      taking: this.#taking.state(id),
    });
  }

  // ---- Control -------------------------------------------------------------------------------------------

  /** Goes on with a transfer that was stopped or has failed. @throws {TransfersError} (rejects) `not-found`. */
  async start(id: string): Promise<void> {
    await this.#change(id, async (row) => {
      this.#taking.forget(id);
      await this.#running.update(id, { stopped: 0, pause: null, failure: null });
      if (row.finished_at !== null) await this.#running.open(id);
    });
    this.#queue.handleChange();
  }

  /** Stops a transfer until it is started. @throws {TransfersError} (rejects) `not-found`. */
  async stop(id: string): Promise<void> {
    await this.#change(id, async () => {
      // First of all: a kill must not start it again.
      await this.#running.update(id, { stopped: 1, pause: "asked" });
      await this.#running.close(id);
    });
    this.#queue.handleChange();
  }

  /** @throws {TransfersError} (rejects) `not-found`; `bad-choice`, and then nothing has changed. */
  async edit(id: string, edit: TransferEdit): Promise<void> {
    await this.#change(id, async (row) => this.#edits.apply(row, edit));
    this.#queue.handleChange();
  }

  /** The ids of all unfinished ones in the order of the queue. */
  async queue(): Promise<string[]> {
    return (await this.#options.transfers.queue()).map(({ id }) => id);
  }

  /** Changes the order of the queue. */
  async moveInQueue(ids: readonly string[], to: QueueMove): Promise<void> {
    this.#demandOpen();
    await this.#queue.move(ids, to);
  }

  /** Compares everything with its hashes; what is wrong or missing is fetched. */
  async recheck(id: string): Promise<void> {
    await this.#change(id, async () => this.#running.recheck(id));
    this.#queue.handleChange();
  }

  /** Announces it now. It does nothing for one that does not run. */
  async announce(id: string): Promise<void> {
    await this.#change(id, async (row) => {
      const awake = row.finished_at === null ? this.#running.get(id) : await this.#running.open(id);
      if (awake) this.#options.engine.announce(awake.torrent);
    });
  }

  /** Forgets a transfer. @param withContent - Its files are deleted too. */
  async remove(id: string, withContent: boolean): Promise<void> {
    await this.#change(id, async () => {
      await this.#chores.remove(id, withContent);
    });
    this.#queue.handleChange();
  }

  /**
   * Moves the content to another folder; it resolves when that has begun.
   *
   * @param root - Absolute.
   * @throws {TransfersError} (rejects) `not-found`; `exists` when a file is in the way; the disk's refusal.
   */
  async move(id: string, root: string): Promise<void> {
    await prepareFolder(this.#options.content, root);
    await this.#change(id, async (row) => {
      if (row.root !== root) await this.#chores.move(row, root);
    });
  }

  /**
   * Renames a file or a folder of a transfer, on disk and for ever; the torrent stays what it is. What has only one
   * part is the transfer's own name too.
   *
   * @param path - As `details.files` has it, components joined by "/"; or a folder of such paths.
   * @param name - Of its last part.
   * @throws {TransfersError} (rejects) `not-found`; `exists`; `bad-choice`; the disk's refusal. Then nothing has changed.
   */
  async rename(id: string, path: string, name: string): Promise<void> {
    await this.#change(id, async (row) => this.#chores.rename(row, path, name));
  }

  /** Runs in the transfer's line. */
  async #change(id: string, work: (row: TransferRow) => Promise<void>): Promise<void> {
    this.#demandOpen();
    await this.#lines.run(id, async () => {
      const row = await this.#options.transfers.find(id);
      if (!row) throw new TransfersError("not-found", `There is no transfer ${id}.`);
      if (rowState(row).chore?.kind === "remove") {
        throw new TransfersError("not-found", `${row.name} is being removed.`);
      }
      await work(row);
    });
  }

  #demandOpen(): void {
    if (!this.#isOpen) throw new TransfersError("closed", "The node is stopping.");
  }

  // ---- Sleeping seeds ----------------------------------------------------------------------------------------

  /** Answers the engine's question about an unknown infohash (`WakeTorrent`). */
  readonly wake = async (infohash: Uint8Array): Promise<EngineTorrent | undefined> => {
    const row = await this.#options.transfers.findByWire(infohash);
    if (!row || !this.#isOpen || !isWanted(row)) return undefined;
    const running = this.#running.get(row.id);
    if (running) return running.torrent;
    // A download that waits in the queue has no place in the engine.
    if (row.finished_at === null) return undefined;
    const awake = await this.#lines.run(row.id, () => this.#running.open(row.id, true));
    this.#rest.makeRoom(row.id);
    return awake?.torrent;
  };

  #openInLine(id: string): void {
    if (!this.#isOpen) return;
    this.#lines
      .run(id, () => this.#running.open(id))
      .catch((error: unknown) => {
        this.#options.log.error("a transfer could not be opened", { id, error: String(error) });
      });
  }

  #wakeNext(ids: readonly string[]): void {
    const [id, ...rest] = ids;
    if (id === undefined || !this.#isOpen) return;
    this.#openInLine(id);
    this.#wakeTimer = this.#options.clock.startTimer(WAKE_PAUSE_MS, () => this.#wakeNext(rest));
  }

  #tellSeeded(row: TransferRow, isOne: boolean): void {
    const infohashes = infohashesOf(row);
    if (!isOne) this.#asleep.forget(row.id);
    if (isOne) this.#options.seeds?.handleSeed(infohashes);
    else this.#options.seeds?.handleNoSeed(infohashes);
  }

  // ---- Time ----------------------------------------------------------------------------------------------------

  #schedule(): void {
    this.#timer = this.#options.clock.startTimer(TICK_MS, () => {
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    const { clock, log } = this.#options;
    const now = clock.nowMs();
    for (const awake of this.#running.all()) {
      awake.count(now, { wallMs: clock.wallMs(), upMs: this.#upTime.nowMs() });
      this.#shares.judge(awake.row);
    }
    this.#running.past.count(this.#running.all());
    for (const id of this.#taking.ids()) this.#watch.handleChange(id);
    void this.#watch.tell().catch((error: unknown) => {
      log.error("the watchers of transfers were not told", { error: String(error) });
    });
    if (now - this.#savedMs < SAVE_MS) return;
    this.#savedMs = now;
    this.#setRates();
    this.#rest.sweep();
    this.#absent.look();
    this.#queue.handleChange();
    const saving = [
      this.#running.saveFigures(),
      this.#upTime.save(),
      this.totals.save(),
      this.#running.past.save(),
    ];
    Promise.all(saving).catch((error: unknown) => {
      log.error("the figures of transfers were not saved", { error: String(error) });
    });
  }

  /** The rates that hold now, and until when. */
  get rates(): RatesNow {
    const { clock, timeZone } = this.#options;
    return ratesNow(this.#settings, weekMoment(clock.wallMs(), timeZone));
  }

  /** The schedule may have changed them. */
  #setRates(): void {
    const { engine } = this.#options;
    const { down, up } = this.rates;
    engine.setLimits({ downBytesPerSecond: down, upBytesPerSecond: up });
  }

  // ---- Settings ------------------------------------------------------------------------------------------------

  get settings(): TransferSettings {
    return this.#settings;
  }

  /** Absolute; content is put here unless something else is chosen. */
  get downloadFolder(): string {
    return this.#settings.folder ?? this.#options.downloadFolder;
  }

  async setSettings(change: TransferSettingsChange): Promise<TransferSettings> {
    for (const { folder, into = folder } of change.watchFolders ?? []) refuseRelative(folder, into);
    if (change.folder !== undefined) await prepareFolder(this.#options.content, change.folder);
    this.#settings = withChange(this.#settings, change);
    await saveSettings(this.#options.settings, this.#settings);
    this.#setRates();
    this.#labelRates.set(this.#settings.labels);
    this.#queue.handleChange();
    return this.#settings;
  }
}
