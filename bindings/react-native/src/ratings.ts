import { ask, now } from "./calls.js";
import { listOf } from "./checks.js";
import { EventFeed } from "./event-feed.js";
import type { EventPump } from "./event-pump.js";
import * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { CallOptions, Code } from "./types.js";

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
   * shut down. A loop that cannot keep up gets the rating as it is then. At most 1,000 codes at a time.
   *
   * ```ts
   * for await (const rating of core.ratings.watch(scan.text, { signal })) show(rating);
   * ```
   */
  watch(code: Code, options?: CallOptions): AsyncIterable<native.Rating> {
    return { [Symbol.asyncIterator]: () => this.#watched(code, options) };
  }

  async *#watched(code: Code, options: CallOptions | undefined): AsyncGenerator<native.Rating, void, undefined> {
    const [reference, hash] = now(() => {
      const reference = input.code("code", code);
      return [reference, hashOf(reference)];
    });
    const changes = new EventFeed(
      this.#pump,
      (event) => event.type === "RatingChanged" && event.rating.qrHash === hash,
      options,
    );
    try {
      now(() => this.#core.watch([reference]));
      try {
        let present: native.Rating;
        // What changes while the present is read may be in it or not: it is read again.
        do present = await this.get(code, options);
        while (changes.skip());
        yield present;
        for await (const event of changes) {
          yield event.type === "RatingChanged" ? event.rating : await this.get(code, options);
        }
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
}

function hashOf(code: native.CodeRef): native.QrHash {
  return code.tag === native.CodeRef_Tags.Hash ? code.inner.qrHash : native.hashQrData(code.inner.text);
}
