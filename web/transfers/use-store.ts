import { useEffect, useState } from "preact/hooks";
import type { TransferStore } from "./transfer-store.ts";

/** Renders again after each change of the store, and follows the node meanwhile. */
export function useStore(store: TransferStore): void {
  const [, setTick] = useState(0);
  useEffect(() => {
    const unsubscribe = store.subscribe(() => setTick((tick) => tick + 1));
    const unfollow = store.follow();
    return () => {
      unfollow();
      unsubscribe();
    };
  }, [store]);
}
