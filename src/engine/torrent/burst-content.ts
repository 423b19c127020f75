import type { FilePlaces, FileWatch, OpenContent } from "../../ports/content.ts";
import type { BurstMember, Bursts } from "../sharing/bursts.ts";

type Later = <T>(onDone: (outcome: T) => void) => (outcome: T) => void;

/** @returns The same content; each of its outcomes is a burst of the member. */
export function inTurns(content: OpenContent, bursts: Bursts, member: BurstMember): OpenContent {
  const { bytes, judge, watch, places } = content;
  const later: Later = (onDone) => (outcome) => bursts.runWith(onDone, outcome, member);
  return {
    bytes: {
      read: (slab, runs, onDone) => bytes.read(slab, runs, later(onDone)),
      write: (piece, run, source, onDone) => bytes.write(piece, run, source, later(onDone)),
      sync: (onDone) => bytes.sync(later(onDone)),
      close: (onDone) => bytes.close(() => bursts.run(onDone, member)),
    },
    judge: {
      store: (piece, slab, options, onDone) => judge.store(piece, slab, options, later(onDone)),
      verify: (piece, options, onDone) => judge.verify(piece, options, later(onDone)),
      check: ({ pieces, onPiece, onDone }) =>
        judge.check({
          pieces,
          onPiece: (piece, intact) => bursts.run(() => onPiece(piece, intact), member),
          onDone: later(onDone),
        }),
      ingest: (piece, slab, want, onDone) => judge.ingest(piece, slab, want, later(onDone)),
    },
    watch: watch && watchInTurns(watch, later),
    places: places && placesInTurns(places, later),
  };
}

function watchInTurns(watch: FileWatch, later: Later): FileWatch {
  return {
    stamp: (onDone) => watch.stamp(later(onDone)),
    reopen: (lost, onDone) => watch.reopen(lost, later(onDone)),
  };
}

function placesInTurns(places: FilePlaces, later: Later): FilePlaces {
  return {
    claim: (files, onDone) => places.claim(files, later(onDone)),
    setAside: (files, onDone) => places.setAside(files, later(onDone)),
    createEmpty: (onDone) => places.createEmpty(later(onDone)),
    setWanted: (wanted, onDone) => places.setWanted(wanted, later(onDone)),
    finish: (files, onDone) => places.finish(files, later(onDone)),
  };
}
