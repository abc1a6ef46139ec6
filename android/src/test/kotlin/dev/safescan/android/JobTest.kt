package dev.safescan.android

import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.Context
import dev.safescan.core.SyncConfig
import dev.safescan.core.VoteChoice
import dev.safescan.core.submitVote
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf

class JobTest : AndroidTest() {
    private val service by lazy { Robolectric.buildService(SafeScanJobService::class.java).create().get() }
    private val outcome get() = shadowOf(service)

    private val owner get() = app as TestApplication

    private fun configure(url: String) {
        owner.configure = { copy(sync = SyncConfig(baseUrl = url, onlyWhenAsked = true, allowPlainLoopback = true)) }
        owner.token = TestServer.TOKEN
    }

    @Test
    fun `a job sends what waits, and leaves no file open`() = test {
        TestServer().use { server ->
            configure(server.url)
            val core = owner.safeScan()
            core.submitVote("https://example.com/", VoteChoice.UNSAFE)
            assertEquals(1u, core.statistics().pendingOperations)
            assertTrue(service.onStartJob(parameters()))
            checkNotNull(service.run).join()
            assertTrue(outcome.isJobFinished)
            assertFalse("everything is done", outcome.isRescheduleNeeded)
            assertEquals(0u, core.statistics().pendingOperations)
            assertEquals(emptyList<String>(), openFiles())
        }
    }

    @Test
    fun `a job that does not end in time wants another`() = test {
        silentServer().use { server ->
            configure(server.url)
            owner.safeScan().submitVote("https://example.com/", VoteChoice.UNSAFE)
            service.deadlineMs = 200u
            service.onStartJob(parameters())
            checkNotNull(service.run).join()
            assertTrue(outcome.isJobFinished && outcome.isRescheduleNeeded)
        }
    }

    @Test
    fun `a job that the system stops ends at once, and says nothing more`() = test {
        silentServer().use { server ->
            configure(server.url)
            val core = owner.safeScan()
            core.submitVote("https://example.com/", VoteChoice.UNSAFE)
            service.onStartJob(parameters())
            withContext(Dispatchers.IO) { server.accept() }
            assertTrue("a later one goes on", service.onStopJob(parameters()))
            val run = checkNotNull(service.run)
            run.join()
            assertTrue(run.isCancelled)
            assertFalse(outcome.isJobFinished)
            assertEquals(1u, core.statistics().pendingOperations)
        }
    }

    @Test
    fun `without a server there is nothing to try again`() = test {
        service.onStartJob(parameters())
        checkNotNull(service.run).join()
        assertTrue(outcome.isJobFinished && !outcome.isRescheduleNeeded)
    }

    @Test
    fun `where the library is missing no job crashes, and none is tried again`() = test {
        owner.failure = NativeLibraryMissingException(UnsatisfiedLinkError())
        service.onStartJob(parameters())
        checkNotNull(service.run).join()
        assertTrue(outcome.isJobFinished && !outcome.isRescheduleNeeded)
    }

    @Test
    @Suppress("DEPRECATION") // What came in its place is not on Android 7.
    fun `it is scheduled once, for when there is a network`() {
        val scheduler = app.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
        SafeScanJobService.schedule(app)
        val job = scheduler.allPendingJobs.single()
        assertEquals(JobInfo.NETWORK_TYPE_ANY, job.networkType)
        assertEquals(6.hours.inWholeMilliseconds, job.intervalMillis)
        assertEquals(SafeScanJobService::class.java.name, job.service.className)
        SafeScanJobService.schedule(app)
        assertTrue("left as it is", job === scheduler.allPendingJobs.single())
        SafeScanJobService.schedule(app, 12.hours)
        assertEquals(12.hours.inWholeMilliseconds, scheduler.allPendingJobs.single().intervalMillis)
        SafeScanJobService.cancel(app)
        assertTrue(scheduler.allPendingJobs.isEmpty())
    }

    /** Takes connections, and never says a word. */
    private fun silentServer() = ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))

    private val ServerSocket.url get() = "http://127.0.0.1:$localPort"
}
