// Everything in which the package's services differ from the guide's on purpose: what each gives in a case, and why.
// A case that is not here must give the same in both.

export interface Difference {
  readonly guide: unknown;
  readonly here: unknown;
  readonly reason: string;
}

const rating = (safeVotes: number, unsafeVotes: number, confidence: number) => ({
  safeVotes,
  unsafeVotes,
  totalVotes: safeVotes + unsafeVotes,
  confidence,
  named: true,
  dated: true,
});

const queued = (queued: number) => ({ results: Array(3).fill([false, "string"]), connected: false, queued });

export const differences: Record<string, Difference> = {
  // Scans
  "an older scan, stored later": {
    guide: ["old", "new"],
    here: ["new", "old"],
    reason:
      "The history goes by the time of the scan, not of its storing: it is the same on all devices of an account.",
  },
  "a hundred scans, stored at once": {
    guide: 1,
    here: 100,
    reason: "Each scan is a row. Where each call writes the whole history, the last one wins and the others are lost.",
  },
  "a scan without a code": {
    guide: true,
    here: false,
    reason:
      "Without a code there is nothing to look up, to rate or to show: the answer says so, and nothing is stored.",
  },
  "a scan whose time is in seconds": {
    guide: true,
    here: false,
    reason: "A time before 2001 is seconds given for milliseconds: it would sort before every other scan, for ever.",
  },
  "a scan with 20 KB beside it": {
    guide: true,
    here: false,
    reason: "16 KiB go with a scan. A history of pictures grew past what Android's AsyncStorage can read back.",
  },
  "limits, with more than there is room for": {
    guide: true,
    here: false,
    reason: "The core makes room as it stores. A list that the app holds is the app's, and is given back whole.",
  },

  // Damage
  "validation of a damaged scan among ten": {
    guide: { whole: false, history: "rejected", again: false },
    here: { whole: false, history: 9, again: true },
    reason:
      "One damaged row is taken out and the others stay. The guide's repair writes the history under another key.",
  },
  "validation, while the storage fails": {
    guide: "rejected",
    here: false,
    reason: "What cannot be read is not known to be whole, and is not repaired either: it may only be locked.",
  },

  // The queue
  "fifty operations, queued at once": {
    guide: 1,
    here: 50,
    reason: "Each operation has a key of its own. Where each call writes the whole queue, the last one wins.",
  },
  "three failed synchronisations": {
    guide: queued(3),
    here: queued(0),
    reason:
      "What is not sent is queued already, with its record. Queueing it again at each failure doubles what is sent.",
  },

  // Names
  "two codes made to have one name": {
    guide: true,
    here: false,
    reason: "SHA-256. With 31 bits anybody can make a link that shows another's rating.",
  },
  "two spellings of one link": {
    guide: false,
    here: true,
    reason: "All spellings that open the same page share one rating.",
  },
  "ten thousand users": {
    guide: 212,
    here: 10_000,
    reason: "The whole hash is kept. Users who share a name overwrite each other's votes.",
  },

  // Votes
  "a vote that is older than the standing one": {
    guide: [rating(1, 0, 1), rating(0, 1, 0)],
    here: [rating(1, 0, 1), rating(1, 0, 1)],
    reason: "The latest vote of a person holds, in whatever order votes arrive.",
  },
  "a vote on a name of the guide's": {
    guide: true,
    here: false,
    reason:
      "Many codes share each of the guide's names: a vote on one would be a vote on all. The import renames old votes.",
  },
  "a vote dated a year ahead": {
    guide: [rating(0, 1, 0), rating(1, 1, 0.929)],
    here: [rating(0, 1, 0), "Invalid vote data"],
    reason: "A vote weighs by its age: one from the future weighed as much as thirteen.",
  },
  "eleven votes in a minute, dated otherwise": {
    guide: rating(1, 0, 1),
    here: "Spam detection triggered",
    reason: "How fast somebody votes is measured on the device's own clock, not taken from what the vote says.",
  },
  "six votes on one code in a minute": {
    guide: rating(1, 0, 1),
    here: "Spam detection triggered",
    reason: "The guide's second rule, which its code never reached: a changed vote replaced the one that it counts.",
  },
  "a vote, while the storage fails": {
    guide: [rating(1, 0, 1)],
    here: ["opening the database: permission denied"],
    reason: "A vote that was acknowledged is on the disk. The guide's votes lived in memory, until the app was closed.",
  },

  // Ratings
  "the rating of an unknown code, while the storage fails": {
    guide: "none",
    here: rating(0, 0, 0.5),
    reason: "The guide's last resort, which its code never reached: nothing threw on the way to it.",
  },
  "clean-up of a vote that is 40 days old": {
    guide: rating(2, 0, 1),
    here: rating(1, 0, 1),
    reason: "A vote that is removed is taken out of its rating.",
  },

  // The server
  "the live link, without a server": {
    guide: [false, true, true],
    here: [false, false, false],
    reason: "Connected is who was answered, not who has begun to ask.",
  },

  // The cache
  "a full cache, one of whose values is renewed": {
    guide: [null, "renewed"],
    here: [0, "renewed"],
    reason: "A key that is there already needs no room of another's.",
  },
  "a full cache, one of whose values is often read": {
    guide: "nothing",
    here: 0,
    reason: "What is often read stays. The guide evicted what was kept first, though it speaks of use.",
  },
  "a cached object that is changed afterwards": {
    guide: { votes: 2 },
    here: { votes: 1 },
    reason: "The cache is the core's and holds text: what comes back is what was kept, whatever became of the object.",
  },
  "a cached value that JSON cannot say": {
    guide: "function",
    here: "object",
    reason: "The cache is the core's and holds text: what cannot be written down is not kept, and null comes back.",
  },

  // Health
  "health at the first start": {
    guide: {
      localStorage: "healthy",
      cloudSync: "degraded",
      communityDB: "starting",
      webSocket: "reconnecting",
      cache: "degraded",
    },
    here: {
      localStorage: "healthy",
      cloudSync: "degraded",
      communityDB: "healthy",
      webSocket: "reconnecting",
      cache: "healthy",
    },
    reason: "A cache that nobody has asked yet, and a history without votes, are no illness.",
  },
};
