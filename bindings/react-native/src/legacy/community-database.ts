import { connected, present } from "../connection.js";
import type { SafeScanError } from "../errors.js";
import type { Rating, VoteChoice } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import { failed, succeeded, textOf } from "./envelope.js";
import { hashOf, isUser, nameOfCode, nameOfUser, voterOf } from "./names.js";
import type { CommunityRating, DatabaseResponse, Vote } from "./types.js";

const CHOICES = new Map<unknown, VoteChoice>([
  ["safe", "Safe"],
  ["unsafe", "Unsafe"],
]);
const INVALID = "Invalid vote data";
const SPAM = "Spam detection triggered";
const RETENTION_DAYS = 30;

/** Votes and what they come to. */
export class CommunityDatabaseService {
  private static instance: CommunityDatabaseService;
  #totalRatings = 0;

  private constructor() {}

  static getInstance(): CommunityDatabaseService {
    return (CommunityDatabaseService.instance ??= new CommunityDatabaseService());
  }

  /** The name under which a code's votes are kept: SHA-256, equal for all spellings of one link. */
  hashQRData(qrData: string): string {
    return nameOfCode(qrData);
  }

  /** The same name for a user every time. */
  anonymizeUserId(userId: string): string {
    return nameOfUser(userId);
  }

  /** Casts or changes a vote, and gives the code's rating: `core.votes.submit`. */
  async submitVote(vote: Vote): Promise<DatabaseResponse<CommunityRating>> {
    const { userId, qrHash, vote: said, timestamp } = Object(vote) as Vote;
    const hash = hashOf(qrHash);
    const choice = CHOICES.get(said);
    if (hash === undefined || choice === undefined || !isUser(userId)) return failed(INVALID);
    try {
      const core = await connected();
      const details = { userId: voterOf(userId), votedAt: Math.trunc(timestamp) };
      const outcome = await core.votes.submit({ type: "Hash", qrHash: hash }, choice, details);
      if (outcome.type === "Throttled") return failed(SPAM);
      if (outcome.type === "NotVotable") return failed(INVALID);
      await this.#count(core);
      return succeeded(shown(outcome.rating, qrHash));
    } catch (error) {
      const refused = (error as Partial<SafeScanError>).type === "InvalidInput";
      return failed(refused ? INVALID : textOf(error));
    }
  }

  /** The code's rating; null if nobody voted on it. */
  async getCommunityRating(qrHash: string): Promise<CommunityRating | null> {
    const hash = hashOf(qrHash);
    if (hash === undefined) return null;
    const rating = await (await connected()).ratings.get({ type: "Hash", qrHash: hash });
    return rating.totalVotes === 0 ? null : shown(rating, qrHash);
  }

  /**
   * Removes votes older than 30 days from the device, now and from now on, unless the settings say another number of
   * days: `core.storage.cleanUp`.
   */
  async cleanupOldData(): Promise<void> {
    const core = await connected();
    const { voteRetentionDays } = await core.settings.get();
    if (voteRetentionDays === 0) await core.settings.update({ voteRetentionDays: RETENTION_DAYS });
    await core.storage.cleanUp();
    await this.#count(core);
  }

  /** How many codes have a rating, as of the last call of this service that waited. */
  getStatistics(): { totalRatings: number } {
    const core = present();
    if (core) void this.#count(core);
    return { totalRatings: this.#totalRatings };
  }

  /** A number that cannot be had stays as it was: what it was asked for on the way has been done. */
  async #count(core: SafeScan): Promise<void> {
    try {
      this.#totalRatings = (await core.statistics()).ratedCodes;
    } catch {}
  }
}

/** The rating that nobody can be wrong with: no votes, neither safe nor unsafe. */
export function neutral(qrHash: string): CommunityRating {
  return { qrHash, safeVotes: 0, unsafeVotes: 0, totalVotes: 0, confidence: 0.5, lastUpdated: Date.now() };
}

function shown(rating: Rating, qrHash: string): CommunityRating {
  const { safeVotes, unsafeVotes, totalVotes, confidence, lastUpdated } = rating;
  return { qrHash, safeVotes, unsafeVotes, totalVotes, confidence, lastUpdated: lastUpdated ?? Date.now() };
}
