package dev.safescan.core

import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** What an app is told of its changes on their way to the reference server. */
@Timeout(60)
class SyncEventsTest {
    @TempDir
    lateinit var directory: Path

    private val text = "https://example.com/menu"

    private fun withServer(faults: String = "", block: suspend CoroutineScope.(Server) -> Unit) =
        Server(directory, faults).use { server -> runBlocking(Dispatchers.Default) { block(server) } }

    private suspend inline fun <reified E : CoreEvent> SafeScan.told(): E = events.filterIsInstance<E>().first()

    private inline fun <reified E : SafeScanException> SafeScan.refused(): E =
        assertThrows<E> { runBlocking { syncNow() } }

    @Test
    fun `a run ends with its report`() = withServer { server ->
        server.withQuietDevice("ada") { ada ->
            ada.submitVote(text, VoteChoice.SAFE)
            val report = ada.syncNow()
            assertEquals(listOf(1u, 0u, 0u), listOf(report.sent, report.superseded, report.waiting))
            assertEquals(report, ada.told<CoreEvent.SyncFinished>().report)
        }
    }

    @Test
    fun `a change that gives way to a later one of another device is told of`() = withServer { server ->
        server.withQuietDevice("ada", "phone") { phone ->
            server.withQuietDevice("ada", "tablet") { tablet ->
                phone.updateSettings(SettingsUpdate(scanRetentionDays = 30u))
                val earlier = phone.pendingOperations().operations.single()
                tablet.testAdvanceClock(1_000)
                tablet.updateSettings(SettingsUpdate(scanRetentionDays = 60u))
                tablet.syncNow()

                assertEquals(1u, phone.syncNow().superseded)
                val told = phone.told<CoreEvent.OperationSuperseded>()
                assertEquals(earlier.id to OperationKind.SETTING_PUT, told.id to told.kind)
                assertEquals(60u, phone.settings().scanRetentionDays)
            }
        }
    }

    @Test
    fun `a token is asked for, and after a second one that is refused the change waits for the app`() =
        withServer { server ->
            server.withQuietDevice("nobody") { device ->
                device.submitVote(text, VoteChoice.SAFE)
                val vote = device.pendingOperations().operations.single().id
                assertEquals("the server wants another token", device.refused<SafeScanException.Unauthorized>().message)
                device.told<CoreEvent.TokenWanted>()
                assertEquals(OperationState.PENDING, device.pendingOperations().operations.single().state)

                device.setAuthToken("token-of-no-one")
                device.refused<SafeScanException.Unauthorized>()
                val parked = device.told<CoreEvent.OperationParked>()
                assertEquals(vote to ParkedReason.AUTH, parked.id to parked.reason)
                assertEquals(OperationState.PARKED, device.pendingOperations().operations.single().state)

                device.setAuthToken("token-of-ada")
                assertEquals(1u, device.syncNow().sent)
            }
        }

    @Test
    fun `a server that wants fewer requests says for how long, and nothing is lost`() =
        withServer(faults = "rate-limit=1:30") { server ->
            server.withQuietDevice("ada") { ada ->
                ada.submitVote(text, VoteChoice.SAFE)
                val refused = ada.refused<SafeScanException.RateLimited>()
                assertEquals("the server asked for fewer requests", refused.message)
                assertEquals(30_000u, refused.retryAfterMs)
                assertEquals(1u, ada.statistics().pendingOperations)
            }
        }
}
