package dev.safescan.examples

import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.VoteChoice
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import java.io.File
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class LiveTest {
    @TempDir
    lateinit var directory: File

    @Test
    fun `the README's second example shows what happens`() = runBlocking {
        val core = SafeScan.open(SafeScanConfig(directory = directory.path))
        val scan = core.recordScan("https://example.com/menu")
        val (badges, banners) = Channel<String>(Channel.UNLIMITED) to Channel<String>(Channel.UNLIMITED)
        live(core, scan, Screen(badge = { badges.trySend(it) }, banner = { banners.trySend(it) }))
        assertEquals("0 of 0 say safe", badges.receive())
        core.submitVote(scan.text, VoteChoice.SAFE)
        assertEquals("1 of 1 say safe", badges.receive())
        assertEquals("DISABLED, 0 changes wait", banners.receive())
        core.shutdown()
    }
}
