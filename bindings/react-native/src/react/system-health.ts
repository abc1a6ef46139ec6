import { useMemo } from "react";

import type { SystemHealth } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import { useSafeScan } from "./provider.js";
import { Store, useStore } from "./store.js";

/** The state of every part of the core, kept up to date. */
export function useSystemHealth(): SystemHealth {
  const core = useSafeScan();
  return useStore(useMemo(() => new HealthStore(core), [core]));
}

class HealthStore extends Store<SystemHealth> {
  readonly #core: SafeScan;

  constructor(core: SafeScan) {
    super(core.health());
    this.#core = core;
  }

  protected override begin(signal: AbortSignal): void {
    const off = this.#core.on("*", ({ type }) => {
      if (type === "HealthChanged" || type === "Missed") this.#read();
    });
    signal.addEventListener("abort", off, { once: true });
    this.#read();
  }

  #read(): void {
    const [health, before] = [this.#core.health(), this.snapshot()];
    const isSame = health.services.every((part, index) => {
      const old = before.services[index];
      return part.state === old?.state && part.cause === old.cause;
    });
    if (!isSame) this.update(health);
  }
}
