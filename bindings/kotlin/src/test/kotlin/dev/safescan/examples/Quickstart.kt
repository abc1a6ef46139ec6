package dev.safescan.examples

import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.Verdict
import dev.safescan.core.VoteChoice
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import java.io.File

/** The example of the project's README, word for word between its two marks. */
suspend fun quickstart(filesDir: File): SafeScan {
    // README begin
    val core = SafeScan.open(SafeScanConfig(directory = "${filesDir.path}/safescan"))
    val scan = core.recordScan("https://example.com/menu", verdict = Verdict.SAFE)
    core.submitVote(scan.text, VoteChoice.SAFE)
    val rating = core.rating(scan.text)
    println("${rating.assessment}: ${rating.safeVotes} safe, ${rating.unsafeVotes} unsafe")
    // README end
    return core
}
