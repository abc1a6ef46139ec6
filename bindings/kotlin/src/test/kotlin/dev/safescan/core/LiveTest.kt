package dev.safescan.core

import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Devices and the reference server between them. */
class LiveTest {
    @TempDir
    lateinit var directory: Path

    private val text = "https://example.com/menu"

    private fun withServer(block: suspend CoroutineScope.(Server) -> Unit) =
        Server(directory).use { server -> runBlocking(Dispatchers.Default) { block(server) } }

    @Test
    fun `a vote on one device is shown on the other at once`() = withServer { server ->
        server.withDevice("ada") { ada ->
            server.withDevice("bob") { bob ->
                bob.syncStatus.first { it.realtime == ServiceState.HEALTHY }
                val shown = bob.ratings(text).produceIn(this)
                assertEquals(0u, shown.receive().totalVotes)

                ada.submitVote(text, VoteChoice.SAFE)
                val first = shown.next { it.safeVotes == 1u }
                assertNull(first.ownVote)
                assertEquals(RatingSource.LIVE, first.source)

                bob.submitVote(text, VoteChoice.UNSAFE)
                assertEquals(VoteChoice.UNSAFE, shown.next { it.totalVotes == 2u }.ownVote)
                ada.retractVote(text)
                assertEquals(1u, shown.next { it.totalVotes == 1u }.unsafeVotes)
            }
        }
    }

    @Test
    fun `what is done offline waits to be seen, and leaves when the network is back`() = withServer { server ->
        server.withDevice("ada") { ada ->
            val status = ada.syncStatus.produceIn(this)
            status.next { it.state == ServiceState.HEALTHY }
            ada.networkChanged(NetworkState.OFFLINE)
            assertEquals(0u, status.next { it.cause == HealthCause.OFFLINE }.pending)

            val operations = ada.operations.produceIn(this)
            assertEquals(emptyList<PendingOperation>(), operations.receive())
            ada.submitVote(text, VoteChoice.SAFE)
            val waiting = operations.receive().single()
            assertEquals(OperationKind.VOTE_SET to OperationState.PENDING, waiting.kind to waiting.state)
            assertEquals(HealthCause.OFFLINE, status.next { it.pending == 1u }.cause)

            ada.networkChanged(NetworkState.ONLINE)
            operations.next { it.isEmpty() }
            val done = status.next { it.state == ServiceState.HEALTHY && it.pending == 0u }
            assertEquals(0u, done.lastReport?.waiting)
        }
    }

    @Test
    fun `a token that the server does not take is told of, and so is one that it takes`() = withServer { server ->
        server.withDevice("ada") { ada ->
            val status = ada.syncStatus.produceIn(this)
            ada.setAuthToken("token-of-nobody")
            assertEquals(ServiceState.UNAVAILABLE, status.next { it.cause == HealthCause.UNAUTHORIZED }.state)
            ada.setAuthToken("token-of-ada")
            assertEquals(HealthCause.NONE, status.next { it.state == ServiceState.HEALTHY }.cause)
        }
    }
}
