import type { Bitfield } from "../../base/bitfield.ts";
import type { Geometry } from "../../base/geometry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ByteStore, PieceJudge, SlabPool } from "../../ports/content.ts";
import type { Random } from "../../ports/random.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import type { RateBudget } from "../sharing/rate-share.ts";

/** What is known of the hashes by which pieces are judged. */
export interface PieceHashKnowledge {
  /** Every piece can be judged. */
  readonly complete: boolean;
  /** The piece can be judged. */
  known(piece: number): boolean;
  /** The piece is judged by two hashes (BEP 52). */
  isTwofold(piece: number): boolean;
}

export interface DownloaderOptions {
  readonly geometry: Geometry;
  readonly bytes: Pick<ByteStore, "write">;
  readonly judge: Pick<PieceJudge, "store" | "verify">;
  readonly slabs: SlabPool;
  readonly random: Random;
  readonly have: Bitfield;
  readonly judged: Bitfield;
  readonly hashes: PieceHashKnowledge;
  readonly limit: RateBudget;
  readonly memory: MemoryShare;
  readonly requestQueueMax: number;
  readonly clock: Pick<Clock, "nowMs">;
}
