import { useMemo } from "react";

import type { SafeScanError } from "../errors.js";
import type { Rating } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import type { CallOptions, Code } from "../types.js";
import { useSafeScan } from "./provider.js";
import { useStore } from "./store.js";
import { Watched } from "./watched.js";

/** What `useCommunityRating` gives. */
export interface CommunityRating {
  /** The rating as it is; nothing until it is known. */
  readonly rating: Rating | undefined;
  /** Why it cannot be had: `InvalidInput` if the code is none, or if more than 1,000 are watched. */
  readonly error: SafeScanError | undefined;
}

/**
 * The rating of a code, kept up to date while the component is mounted. Only components that show this code's rating are
 * rendered again when it changes. Without a code (`undefined`) nothing is watched.
 */
export function useCommunityRating(code: Code | undefined): CommunityRating {
  const core = useSafeScan();
  const name = JSON.stringify(code);
  const store = useMemo(() => watched(core, code), [core, name]);
  const { value: rating, error } = useStore(store);
  return { rating, error };
}

function watched(core: SafeScan, code: Code | undefined): Watched<Rating> {
  if (code === undefined) return new Watched(nothing);
  return new Watched((options: CallOptions) => core.ratings.watch(code, options), lastSeen(core, code));
}

async function* nothing(): AsyncGenerator<never> {}

/** What is in memory spares a list the flash of its first reading. */
function lastSeen(core: SafeScan, code: Code): Rating | undefined {
  try {
    return core.ratings.cached(code);
  } catch {
    // The loop fails for the same reason, and tells.
    return undefined;
  }
}
