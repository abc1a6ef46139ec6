package dev.safescan.examples

import dev.safescan.core.SafeScan
import dev.safescan.core.Scan
import dev.safescan.core.ratings
import dev.safescan.core.syncStatus
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** What the example shows things on. */
class Screen(val badge: (String) -> Unit, val banner: (String) -> Unit)

/** The second example of the project's README, word for word between its two marks. */
fun CoroutineScope.live(core: SafeScan, scan: Scan, screen: Screen) {
    // README begin
    launch {
        core.ratings(scan.text).collect { screen.badge("${it.safeVotes} of ${it.totalVotes} say safe") }
    }
    launch {
        core.syncStatus.collect { screen.banner("${it.state}, ${it.pending} changes wait") }
    }
    // README end
}
