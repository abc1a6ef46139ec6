import { ask } from "./calls.js";
import { finite, listOf, optional, text } from "./checks.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import {
  type CallOptions,
  type Code,
  type NewVote,
  type VoteDetails,
  type VoteOutcome,
  type VoteQuery,
  type Voter,
  union,
} from "./types.js";

/** What people on this device say of codes: `core.votes`. */
export class Votes {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** Casts or changes a vote: one stands per voter and code, the latest wins. */
  submit(code: Code, choice: native.VoteChoice, details?: VoteDetails & CallOptions): Promise<VoteOutcome> {
    const vote = { ...details, code, choice };
    return ask(async () => union(await this.#core.submitVote(input.newVote("vote", vote))), details);
  }

  /**
   * Casts up to 10,000 votes in one transaction and returns their outcomes in the same order. On an error none is
   * stored.
   */
  submitMany(votes: readonly NewVote[], options?: CallOptions): Promise<VoteOutcome[]> {
    return ask(async () => (await this.#core.submitVotes(listOf(input.newVote)("votes", votes))).map(union), options);
  }

  /** Takes a vote back. */
  retract(code: Code, voter?: Voter & CallOptions): Promise<VoteOutcome> {
    return ask(async () => union(await this.#core.retractVote(input.code("code", code), userOf(voter))), voter);
  }

  /** The voter's standing vote on a code, if there is one. */
  mine(code: Code, voter?: Voter & CallOptions): Promise<native.Vote | undefined> {
    return ask(() => this.#core.myVote(input.code("code", code), userOf(voter)), voter);
  }

  /** A page of the voter's standing votes (1 to 500, by default 50), the latest first. */
  list(query: VoteQuery & CallOptions = {}): Promise<native.VotePage> {
    return ask(() => this.#core.myVotes(input.voteQuery("query", query)), query);
  }

  /** Sets how much a voter on this device counts, from 0 to 10; 1 is usual. Standing votes are weighed anew. */
  setReputation(weight: number, voter?: Voter & CallOptions): Promise<void> {
    return ask(() => this.#core.setReputation(finite("weight", weight), userOf(voter)), voter);
  }
}

const userOf = (voter: Voter | undefined): string | undefined => optional(text)("userId", voter?.userId);
