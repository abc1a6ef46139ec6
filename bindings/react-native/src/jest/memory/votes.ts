import { createHash } from "node:crypto";

import type { QrHash, Vote, VoteChoice, VotePage } from "../../generated/index.js";
import type { CallOptions, Code, NewVote, VoteDetails, VoteOutcome, VoteQuery, Voter } from "../../types.js";
import type { Votes } from "../../votes.js";
import { between, given, listOf, name, object, oneOf, whole } from "./checks.js";
import { referenceOf } from "./codes.js";
import { VoteChoice as Choices } from "./enums.js";
import { ratingOf } from "./rating.js";
import { record, type Register, type Session } from "./session.js";

const EARLIEST = 1_000_000_000_000;
const MINUTE_MS = 60_000;
const SKEW_MS = 5 * MINUTE_MS;
const CHANGES_PER_CODE = 5;

export class MemoryVotes implements Pick<Votes, keyof Votes> {
  readonly #session: Session;
  /** When each person voted in the last minute, and on what. */
  readonly #recent = new Map<string, { readonly at: number; readonly hash: QrHash }[]>();

  constructor(session: Session) {
    this.#session = session;
  }

  submit(code: Code, choice: VoteChoice, details?: VoteDetails & CallOptions): Promise<VoteOutcome> {
    return this.#session.ask(details, () => this.#cast("vote", { ...details, code, choice })());
  }

  submitMany(votes: readonly NewVote[], options?: CallOptions): Promise<VoteOutcome[]> {
    return this.#session.ask(options, () => {
      // All are checked before one is cast.
      const cast = listOf("votes", votes, (field, vote) =>
        this.#cast(field, object(field, vote) as unknown as NewVote),
      );
      return cast.map((vote) => vote());
    });
  }

  retract(code: Code, voter?: Voter & CallOptions): Promise<VoteOutcome> {
    return this.#session.ask(voter, () => {
      const { hash } = referenceOf("code", code);
      const retracted = this.#registers(hash)?.delete(personOf(voter)) ?? false;
      if (retracted) this.#announce(hash);
      return { type: retracted ? "Retracted" : "Unchanged", rating: ratingOf(this.#session.contents, hash) };
    });
  }

  mine(code: Code, voter?: Voter & CallOptions): Promise<Vote | undefined> {
    return this.#session.ask(voter, () => {
      const { hash } = referenceOf("code", code);
      const register = this.#registers(hash)?.get(personOf(voter));
      return register && shown(hash, personOf(voter), register);
    });
  }

  list(query: VoteQuery & CallOptions = {}): Promise<VotePage> {
    return this.#session.ask(query, () => {
      const limit = whole("limit", query.limit ?? 50, 1, 500);
      const person = personOf(query);
      const skipped = given(query.cursor, Number) ?? 0;
      const all = [...this.#session.contents.votes].flatMap(([hash, registers]) => {
        const register = registers.get(person);
        return register ? [shown(hash, person, register)] : [];
      });
      const votes = all.sort((one, other) => other.votedAt - one.votedAt).slice(skipped, skipped + limit);
      const end = skipped + votes.length;
      return record<VotePage>({ votes, nextCursor: end < all.length ? `${end}` : undefined, withheld: 0 });
    });
  }

  setReputation(weight: number, voter?: Voter & CallOptions): Promise<void> {
    return this.#session.ask(voter, () => {
      this.#session.contents.reputations.set(personOf(voter), between("weight", weight, 0, 10));
    });
  }

  /** Checks a vote; calling the result casts it. */
  #cast(field: string, vote: NewVote): () => VoteOutcome {
    const { hash, kind } = referenceOf(`${field}.code`, vote.code);
    const choice = oneOf(`${field}.choice`, vote.choice, Choices);
    const person = personOf(vote);
    const castAt = given(vote.votedAt, (at) => whole("voted_at", at, EARLIEST, Date.now() + SKEW_MS));
    return () => {
      const votable = this.#session.config.votableKinds ?? ["WebLink"];
      if (kind !== undefined && !votable.includes(kind)) return { type: "NotVotable", kind };
      const { contents } = this.#session;
      const before = this.#registers(hash)?.get(person);
      const votedAt = castAt ?? Math.max(Date.now(), (before?.votedAt ?? 0) + 1);
      if (before && votedAt <= before.votedAt) return { type: "Unchanged", rating: ratingOf(contents, hash) };
      const throttled = this.#throttled(person, hash);
      if (throttled) return throttled;
      const registers = this.#registers(hash) ?? new Map<string, Register>();
      contents.votes.set(hash, registers.set(person, { choice, votedAt }));
      contents.lifetime[choice] += 1;
      this.#announce(hash);
      return { type: before ? "Updated" : "Accepted", rating: ratingOf(contents, hash) };
    };
  }

  #throttled(person: string, hash: QrHash): VoteOutcome | undefined {
    const now = performance.now();
    const recent = (this.#recent.get(person) ?? []).filter(({ at }) => now - at < MINUTE_MS);
    this.#recent.set(person, recent);
    const same = recent.filter((vote) => vote.hash === hash);
    const [rule, first] =
      same.length >= CHANGES_PER_CODE
        ? (["RepeatedCode", same.at(-CHANGES_PER_CODE)] as const)
        : (["RapidVoting", recent.at(-(this.#session.config.votesPerMinute ?? 10))] as const);
    if (first) return { type: "Throttled", rule, retryAfterMs: Math.ceil(MINUTE_MS - (now - first.at)) };
    recent.push({ at: now, hash });
    return undefined;
  }

  #registers(hash: QrHash): Map<string, Register> | undefined {
    return this.#session.contents.votes.get(hash);
  }

  #announce(hash: QrHash): void {
    const { events, contents } = this.#session;
    events.emit({ type: "VoteChanged", qrHash: hash });
    if (this.#session.watched.has(hash)) events.emit({ type: "RatingChanged", rating: ratingOf(contents, hash) });
  }
}

/** The installation itself has no name. */
function personOf(voter: Voter | undefined): string {
  return given(voter?.userId, (userId) => name("userId", userId)) ?? "";
}

function shown(qrHash: QrHash, person: string, { choice, votedAt }: Register): Vote {
  const voterId = createHash("sha256").update(`voter ${person}`).digest("hex").slice(0, 32);
  return { qrHash, choice, votedAt, voterId, pending: false };
}
