package dev.safescan.android

import android.app.Application
import androidx.test.platform.app.InstrumentationRegistry
import dev.safescan.core.IdentityKeySource
import dev.safescan.core.VoteChoice
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Test

/** What only a device shows: that it loads the library in the package, and that its Keystore keeps the identity. */
class DeviceTest {
    private val app = InstrumentationRegistry.getInstrumentation().targetContext.applicationContext as Application

    @Test
    fun keepsDataAndIdentity() = runBlocking {
        val first = SafeScanAndroid.open(app)
        assertEquals(IdentityKeySource.HOST, first.health().identityKey)
        val scan = first.recordScan("https://example.com/menu")
        first.submitVote(scan.text, VoteChoice.SAFE)
        SafeScanAndroid.shutdown(app)

        // As if the process had begun anew.
        val next = SafeScanProcess(app)
        val second = next.open(null) { this }
        assertEquals(IdentityOrigin.KEPT, next.identityOrigin)
        assertEquals(scan, second.scan(scan.id))
        assertEquals(1u, second.rating(scan.text).safeVotes)
        next.shutdown()
    }
}
