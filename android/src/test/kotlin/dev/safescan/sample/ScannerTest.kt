package dev.safescan.sample

import dev.safescan.android.SafeScanAndroid
import dev.safescan.android.TestKeystore
import dev.safescan.android.TestServer
import dev.safescan.core.VoteChoice
import dev.safescan.core.ratings
import dev.safescan.core.submitVote
import kotlinx.coroutines.flow.first
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

class ScannerTest : SampleTest() {
    private val code = "https://example.com/menu"

    @Test
    fun `what is scanned is shown, and a vote is seen in its rating`() = sampleTest {
        withScreen {
            until { isShown(R.id.empty) }
            scan(code)
            untilSaid(R.id.scanned_text to code, R.id.votes to "Nobody voted yet", R.id.assessment to "Too few votes")
            until { history.count == 1 }
            assertEquals("the field is free for the next", "", text(R.id.code))
            assertEquals(listOf(code, "Web link · Just now"), row(0))
            assertFalse("no server, no banner", isShown(R.id.banner))

            tap(R.id.vote_safe)
            untilSaid(R.id.votes to "1 of 1 person says safe")
            assertTrue(view(R.id.vote_safe).isActivated)
            tap(R.id.vote_unsafe)
            untilSaid(R.id.votes to "0 of 1 person says safe")
            assertTrue(view(R.id.vote_unsafe).isActivated && !view(R.id.vote_safe).isActivated)
            tap(R.id.vote_unsafe)
            untilSaid(R.id.votes to "Nobody voted yet")
            assertFalse(view(R.id.vote_unsafe).isActivated)
        }
    }

    @Test
    fun `a scan of the history can be looked at again`() = sampleTest {
        withScreen {
            scan(code)
            untilSaid(R.id.scanned_text to code)
            tap(R.id.vote_unsafe)
            untilSaid(R.id.votes to "0 of 1 person says safe")
            scan("https://example.org/")
            untilSaid(R.id.scanned_text to "https://example.org/", R.id.votes to "Nobody voted yet")
            until { history.count == 2 }
            choose(code)
            untilSaid(R.id.scanned_text to code, R.id.votes to "0 of 1 person says safe")
            assertTrue(view(R.id.vote_unsafe).isActivated)
        }
    }

    @Test
    fun `what does not work is said, and why`() = sampleTest {
        withScreen {
            scan("")
            untilSaid(R.id.message to "This is no code that can be kept")
            assertFalse("the code is at fault", isShown(R.id.again))
            scan("WIFI:T:WPA;S:Guests;P:invented;;")
            untilSaid(R.id.scanned_text to "WIFI:T:WPA;S:Guests;P:invented;;", R.id.message to "")
            tap(R.id.vote_safe)
            until { text(R.id.message).startsWith("This code is private") }
        }
    }

    @Test
    fun `a core that cannot be opened just now is tried again`() = sampleTest {
        TestKeystore.isSilent = true
        withScreen {
            until { isShown(R.id.again) }
            assertEquals("The phone's key store does not answer", text(R.id.message))
            TestKeystore.isSilent = false
            tap(R.id.again)
            until { isShown(R.id.empty) }
            assertFalse(isShown(R.id.again) || isShown(R.id.message))
            scan(code)
            untilSaid(R.id.scanned_text to code)
        }
    }

    @Test
    fun `another phone's vote comes in while one looks`() = sampleTest {
        TestServer().use { server ->
            configure(server)
            withOtherPhone(server) { other ->
                withScreen {
                    scan(code)
                    untilSaid(R.id.banner to "Up to date, live", R.id.votes to "Nobody voted yet")
                    other.submitVote(code, VoteChoice.UNSAFE)
                    untilSaid(R.id.votes to "0 of 1 person says safe")
                    assertFalse("another's", view(R.id.vote_unsafe).isActivated)
                }
            }
        }
    }

    @Test
    fun `a vote cast offline outlives the screen and the process, and is sent when there is a network`() = sampleTest {
        TestServer().use { server ->
            configure(server)
            val kept = withScreen {
                scan(code)
                untilSaid(R.id.banner to "Up to date, live", R.id.scanned_text to code)
                network(present = false)
                untilSaid(R.id.banner to "Offline")
                // A process that begins tries, until it is told that there is no network.
                server.stop()
                tap(R.id.vote_safe)
                untilSaid(R.id.banner to "Offline · 1 change waits", R.id.votes to "1 of 1 person says safe")
            }
            SafeScanAndroid.shutdown(app)

            shadowOf(connectivity).setActiveNetworkInfo(null)
            withScreen(kept) {
                untilSaid(R.id.banner to "Offline · 1 change waits", R.id.scanned_text to code, R.id.votes to "1 of 1 person says safe")
                assertTrue(view(R.id.vote_safe).isActivated)
                server.start()
                network(present = true)
                untilSaid(R.id.banner to "Up to date, live")
                withOtherPhone(server) { other -> other.ratings(code).first { it.safeVotes == 1u } }
            }
        }
    }
}
