import { useMemo } from "react";

import type { SafeScanError } from "../errors.js";
import { hashQrData } from "../functions.js";
import type { QrHash, VoteChoice } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import type { Code, EventType, VoteOutcome, Voter } from "../types.js";
import { useSafeScan } from "./provider.js";
import { Store, useStore } from "./store.js";

/** Why a vote was not taken, without being an error. */
export type VoteRefusal = Extract<VoteOutcome, { readonly type: "Throttled" | "NotVotable" }>;

/** What `useVote` gives. */
export interface OwnVote {
  /** The choice to show: the one just made, and once that has been refused the one that stands; nothing without a vote. */
  readonly choice: VoteChoice | undefined;
  /** Whether a choice is shown that is not stored yet. */
  readonly isSaving: boolean;
  /** Why the last choice was not taken: `Throttled` says when to try again, `NotVotable` what the code is. */
  readonly refusal: VoteRefusal | undefined;
  /** What the last choice failed with. */
  readonly error: SafeScanError | undefined;
  /** Casts or changes the vote. Never rejects: nothing is returned if it fails, and `error` says why. */
  submit(choice: VoteChoice): Promise<VoteOutcome | undefined>;
  /** Takes the vote back, in the same manner. */
  retract(): Promise<VoteOutcome | undefined>;
}

/**
 * The voter's own vote on a code. A choice shows at once; if the core refuses it or fails, what stands shows again. What was
 * chosen goes to the core even if the component is gone by then.
 *
 * ```tsx
 * const { choice, refusal, submit } = useVote(scan.text);
 * <Button selected={choice === "Safe"} onPress={() => submit("Safe")} />
 * ```
 */
export function useVote(code: Code, voter?: Voter): OwnVote {
  const core = useSafeScan();
  const userId = voter?.userId;
  const name = JSON.stringify(code);
  return useStore(useMemo(() => new VoteStore(core, code, { userId }), [core, name, userId]));
}

/** A choice on its way to the core. */
interface Intention {
  readonly choice: VoteChoice | undefined;
}

class VoteStore extends Store<OwnVote> {
  readonly #core: SafeScan;
  readonly #code: Code;
  readonly #voter: Voter;
  #standing: VoteChoice | undefined;
  /** Grows with every reading of what stands: an earlier one that is still under way is out of date. */
  #reading = 0;
  #readingFailed: SafeScanError | undefined;
  #intentions: Intention[] = [];
  /** Choices go one after another: the last one made is the one that stands. */
  #previous: Promise<unknown> = Promise.resolve();
  #signal: AbortSignal | undefined;

  constructor(core: SafeScan, code: Code, voter: Voter) {
    super({
      choice: undefined,
      isSaving: false,
      refusal: undefined,
      error: undefined,
      submit: (choice) => this.#attempt(choice, () => core.votes.submit(code, choice, voter)),
      retract: () => this.#attempt(undefined, () => core.votes.retract(code, voter)),
    });
    this.#core = core;
    this.#code = code;
    this.#voter = voter;
  }

  protected override begin(signal: AbortSignal): void {
    this.#signal = signal;
    const hash = hashOf(this.#code);
    const off = this.#core.on("*", (event) => {
      if (event.type === "VoteChanged" ? event.qrHash === hash : CHANGES.has(event.type)) void this.#read();
    });
    signal.addEventListener("abort", off, { once: true });
    void this.#read();
  }

  /** Reads what stands, if somebody looks. */
  async #read(): Promise<void> {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    this.#reading += 1;
    const reading = this.#reading;
    try {
      const vote = await this.#core.votes.mine(this.#code, { ...this.#voter, signal });
      if (reading !== this.#reading) return;
      this.#standing = vote?.choice;
      this.#show(this.snapshot().error === this.#readingFailed ? { error: undefined } : {});
    } catch (error) {
      if (signal.aborted || reading !== this.#reading) return;
      this.#readingFailed = error as SafeScanError;
      this.#show({ error: this.#readingFailed });
    }
  }

  #attempt(choice: VoteChoice | undefined, call: () => Promise<VoteOutcome>): Promise<VoteOutcome | undefined> {
    const intention = { choice };
    this.#intentions.push(intention);
    this.#show({ refusal: undefined, error: undefined });
    const outcome = this.#previous.then(async () => {
      try {
        const outcome = await call();
        if (isRefusal(outcome)) {
          this.#settle(intention, { refusal: outcome });
        } else {
          this.#standing = choice;
          this.#settle(intention, {});
          void this.#read();
        }
        return outcome;
      } catch (error) {
        this.#settle(intention, { error: error as SafeScanError });
        return undefined;
      }
    });
    this.#previous = outcome;
    return outcome;
  }

  #settle(intention: Intention, news: Partial<OwnVote>): void {
    this.#intentions = this.#intentions.filter((other) => other !== intention);
    this.#show(news);
  }

  #show(news: Partial<OwnVote>): void {
    const latest = this.#intentions.at(-1);
    this.update({ ...news, choice: latest ? latest.choice : this.#standing, isSaving: latest !== undefined });
  }
}

/** Events after which any vote may be another. */
const CHANGES: ReadonlySet<EventType> = new Set(["Repaired", "Erased", "Missed"]);

function hashOf(code: Code): QrHash | undefined {
  if (typeof code !== "string" && code.type === "Hash") return code.qrHash;
  try {
    return hashQrData(typeof code === "string" ? code : code.text);
  } catch {
    // It is no code, and so there is no vote on it: `error` will say so.
    return undefined;
  }
}

function isRefusal(outcome: VoteOutcome): outcome is VoteRefusal {
  return outcome.type === "Throttled" || outcome.type === "NotVotable";
}
