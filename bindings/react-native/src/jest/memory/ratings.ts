import type { Rating } from "../../generated/index.js";
import type { Ratings } from "../../ratings.js";
import type { CallOptions, Code } from "../../types.js";
import { listOf } from "./checks.js";
import { referenceOf } from "./codes.js";
import { ratingOf } from "./rating.js";
import type { Session } from "./session.js";

export class MemoryRatings implements Pick<Ratings, keyof Ratings> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get(code: Code, options?: CallOptions): Promise<Rating> {
    return this.#session.ask(options, () => ratingOf(this.#session.contents, referenceOf("code", code).hash));
  }

  getMany(codes: readonly Code[], options?: CallOptions): Promise<Rating[]> {
    return this.#session.ask(options, () =>
      listOf("codes", codes, (field, code) => ratingOf(this.#session.contents, referenceOf(field, code as Code).hash)),
    );
  }

  cached(code: Code): Rating | undefined {
    return this.#session.now(() => {
      const { hash } = referenceOf("code", code);
      return this.#session.contents.votes.has(hash) ? ratingOf(this.#session.contents, hash) : undefined;
    });
  }

  watch(code: Code, options?: CallOptions): AsyncIterable<Rating> {
    return { [Symbol.asyncIterator]: () => this.#watched(code, options) };
  }

  async *#watched(code: Code, options: CallOptions | undefined): AsyncGenerator<Rating, void, undefined> {
    const { contents, watched, events } = this.#session;
    const { hash } = this.#session.now(() => referenceOf("code", code));
    const changes = events.loop(options)[Symbol.asyncIterator]();
    watched.set(hash, (watched.get(hash) ?? 0) + 1);
    try {
      yield ratingOf(contents, hash);
      for (;;) {
        const { done, value: event } = await changes.next();
        if (done) return;
        if (event.type === "RatingChanged" && event.rating.qrHash === hash) yield event.rating;
        if (event.type === "Missed") yield ratingOf(contents, hash);
      }
    } finally {
      const left = (watched.get(hash) ?? 1) - 1;
      if (left === 0) watched.delete(hash);
      else watched.set(hash, left);
      await changes.return?.();
    }
  }
}
