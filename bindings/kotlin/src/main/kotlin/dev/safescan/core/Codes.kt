package dev.safescan.core

/** The code with this [text], as scanned. */
fun CodeRef(text: String): CodeRef = CodeRef.Text(text)

/**
 * Records a scan; see [SafeScan.recordScan].
 *
 * @param text The code's text as scanned: 1 to 4,296 characters.
 * @param verdict What the app made of it.
 * @param scannedAt When, in milliseconds since 1970; now by default.
 * @param metadata Whatever the app wants to keep with it; up to 16 KiB.
 */
suspend fun SafeScan.recordScan(
    text: String,
    verdict: Verdict? = null,
    scannedAt: UnixMillis? = null,
    metadata: String? = null,
): Scan = recordScan(NewScan(text, verdict, scannedAt, metadata))

/**
 * Casts or changes a vote on the code with this [text]; see [SafeScan.submitVote].
 *
 * @param userId Who votes, if several people share the device.
 * @param votedAt When, in milliseconds since 1970; now by default.
 */
suspend fun SafeScan.submitVote(
    text: String,
    choice: VoteChoice,
    userId: String? = null,
    votedAt: UnixMillis? = null,
): VoteOutcome = submitVote(NewVote(CodeRef(text), choice, userId, votedAt))

/** Takes a vote on the code with this [text] back; see [SafeScan.retractVote]. */
suspend fun SafeScan.retractVote(text: String, userId: String? = null): VoteOutcome = retractVote(CodeRef(text), userId)

/** The standing vote on the code with this [text], or null; see [SafeScan.myVote]. */
suspend fun SafeScan.myVote(text: String, userId: String? = null): Vote? = myVote(CodeRef(text), userId)

/** The rating of the code with this [text] at this moment; see [SafeScan.rating]. */
suspend fun SafeScan.rating(text: String): Rating = rating(CodeRef(text))

/** The rating last seen of the code with this [text], without waiting, or null; see [SafeScan.cachedRating]. */
fun SafeScan.cachedRating(text: String): Rating? = cachedRating(CodeRef(text))
