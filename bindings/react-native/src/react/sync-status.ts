import { useMemo } from "react";

import type { SafeScanError } from "../errors.js";
import type { SyncStatus } from "../types.js";
import { useSafeScan } from "./provider.js";
import { useStore } from "./store.js";
import { Watched } from "./watched.js";

/** What `useSyncStatus` gives. */
export interface CurrentSyncStatus {
  /** How synchronisation stands; nothing until it is known. */
  readonly status: SyncStatus | undefined;
  /** Why it cannot be had, for example `StorageUnavailable`. */
  readonly error: SafeScanError | undefined;
}

/** How synchronisation stands, kept up to date: for a badge with the number of changes that wait, for instance. */
export function useSyncStatus(): CurrentSyncStatus {
  const core = useSafeScan();
  const store = useMemo(() => new Watched((options) => core.sync.statuses(options)), [core]);
  const { value: status, error } = useStore(store);
  return { status, error };
}
