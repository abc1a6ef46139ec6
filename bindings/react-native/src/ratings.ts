import { ask, now } from "./calls.js";
import { listOf } from "./checks.js";
import { isEndOfCore } from "./errors.js";
import { EventFeed } from "./event-feed.js";
import type { EventPump } from "./event-pump.js";
import { hashOf } from "./functions.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { CallOptions, Code, CoreEvent } from "./types.js";

/** What the community thinks of codes: `core.ratings`. */
export class Ratings {
  readonly #core: native.SafeScan;
  readonly #pump: EventPump;

  /** @internal */
  constructor(core: native.SafeScan, pump: EventPump) {
    this.#core = core;
    this.#pump = pump;
  }

  /**
   * The rating of a code at this moment. It takes the same time with ten votes and with a million, and does not fail
   * when the votes cannot be read: `source` then says `Cached`, `Stale` or `Neutral`.
   */
  get(code: Code, options?: CallOptions): Promise<native.Rating> {
    return ask(() => this.#core.rating(input.code("code", code)), options);
  }

  /** The ratings of up to 500 codes, in the same order. */
  getMany(codes: readonly Code[], options?: CallOptions): Promise<native.Rating[]> {
    return ask(() => this.#core.ratings(listOf(input.code)("codes", codes)), options);
  }

  /** The rating last seen in this process, for this moment, without waiting, if there is one in memory. */
  cached(code: Code): native.Rating | undefined {
    return now(() => this.#core.cachedRating(input.code("code", code)));
  }

  /**
   * The rating of a code as it is, and again whenever it changes, here or elsewhere, until the loop is left or the core is
   * shut down. It never goes back: of changes in quick succession, a loop may get the last alone. At most 1,000 codes at a
   * time.
   *
   * ```ts
   * for await (const rating of core.ratings.watch(scan.text, { signal })) show(rating);
   * ```
   */
  watch(code: Code, options?: CallOptions): AsyncIterable<native.Rating> {
    return { [Symbol.asyncIterator]: () => this.#watched(code, options) };
  }

  async *#watched(code: Code, options: CallOptions | undefined): AsyncGenerator<native.Rating, void, undefined> {
    const reference = now(() => input.code("code", code));
    const hash = now(() => hashOf(reference));
    const isOurs = (event: CoreEvent): boolean => event.type === "RatingChanged" && event.rating.qrHash === hash;
    const changes = new EventFeed(this.#pump, isOurs, options);
    try {
      now(() => this.#core.watch([reference]));
      try {
        yield await this.get(code, options);
        for await (const event of changes) {
          if (event.type === "RatingChanged" && !this.#isOvertaken(event.rating)) {
            yield event.rating;
          } else {
            // What waits behind it is older than what is read now.
            changes.skip();
            yield await this.get(code, options);
          }
        }
      } catch (error) {
        if (!isEndOfCore(error)) throw error;
      } finally {
        // A core that was shut down watches nothing any more.
        try {
          this.#core.unwatch([reference]);
        } catch {}
      }
    } finally {
      void changes.return();
    }
  }

  /** Whether memory, where every change is before it is told, has another rating already. */
  #isOvertaken(rating: native.Rating): boolean {
    const latest = this.cached({ type: "Hash", qrHash: rating.qrHash });
    return latest !== undefined && DECIDED_BY_VOTES.some((field) => latest[field] !== rating[field]);
  }
}

/** What does not change as time goes by. */
const DECIDED_BY_VOTES = ["safeVotes", "unsafeVotes", "lastUpdated", "ownVote"] as const;
