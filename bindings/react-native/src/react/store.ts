import { useSyncExternalStore } from "react";

/**
 * Something that changes outside of React, as `useSyncExternalStore` wants it: the same object until it changes, and work
 * only while a component looks. It may be looked at again after nobody did, as React's strict mode does.
 */
export abstract class Store<State extends object> {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #work: AbortController | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  /** How it stands, from memory. */
  readonly snapshot = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#work === undefined) {
      this.#work = new AbortController();
      this.begin(this.#work.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#work?.abort();
      this.#work = undefined;
    };
  };

  /** Begins to follow what changes, until `signal` is aborted. */
  protected abstract begin(signal: AbortSignal): void;

  /** Changes these fields. What is as it was makes no change. */
  protected update(changes: Partial<State>): void {
    const isNews = (Object.keys(changes) as (keyof State)[]).some(
      (field) => !Object.is(changes[field], this.#state[field]),
    );
    if (!isNews) return;
    this.#state = { ...this.#state, ...changes };
    for (const listener of [...this.#listeners]) listener();
  }
}

export function useStore<State extends object>(store: Store<State>): State {
  return useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
}
