// The core's number by the plain loop: its exact arithmetic is not repeated here.
import type { Assessment, QrHash, Rating } from "../../generated/index.js";
import { type Contents, record } from "./session.js";

const MONTH_MS = 30 * 86_400_000;
const Z = 1.959_963_984_540_054;

export function ratingOf(contents: Contents, qrHash: QrHash): Rating {
  const registers = contents.votes.get(qrHash);
  const now = Date.now();
  const weights = { Safe: 0, Unsafe: 0 };
  const counts = { Safe: 0, Unsafe: 0 };
  let lastUpdated: number | undefined;
  for (const [person, { choice, votedAt }] of registers ?? []) {
    const age = Math.max(0, now - votedAt);
    weights[choice] += Math.max(0.1, 1 - age / MONTH_MS) * (contents.reputations.get(person) ?? 1);
    counts[choice] += 1;
    lastUpdated = Math.max(lastUpdated ?? 0, votedAt);
  }
  const total = weights.Safe + weights.Unsafe;
  const totalVotes = counts.Safe + counts.Unsafe;
  const confidence = total > 0 ? weights.Safe / total : 0.5;
  const effectiveVotes = Math.min(total, totalVotes);
  const [lower, upper] = wilson(confidence, effectiveVotes);
  return record<Rating>({
    qrHash,
    safeVotes: counts.Safe,
    unsafeVotes: counts.Unsafe,
    totalVotes,
    confidence,
    lower,
    upper,
    effectiveVotes,
    assessment: assess(lower, upper, effectiveVotes),
    source: registers ? "Live" : "Neutral",
    lastUpdated,
    ownVote: registers?.get("")?.choice,
    hostHash: undefined,
  });
}

function wilson(p: number, n: number): [lower: number, upper: number] {
  if (n <= 0) return [0, 1];
  const centre = n * p + (Z * Z) / 2;
  const reach = Z * Math.sqrt(n * p * (1 - p) + (Z * Z) / 4);
  const width = n + Z * Z;
  return [Math.min(Math.max((centre - reach) / width, 0), p), Math.max(Math.min((centre + reach) / width, 1), p)];
}

function assess(lower: number, upper: number, votes: number): Assessment {
  if (lower > 0.5) return "Safe";
  if (upper < 0.5) return "Unsafe";
  return votes >= 10 ? "Mixed" : "Insufficient";
}
