package dev.safescan.android

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork

/**
 * What the main thread does must not wait for a disk. Android's StrictMode sees that in Java's files on a device; it sees
 * neither a JVM's files nor a native library's anywhere. The kernel sees all of them, and counts for each thread.
 */
class MainThreadTest : AndroidTest() {
    @Test
    fun `the main thread reads and writes nothing, whatever the system tells and the app wants`() = test {
        if (!counters.exists()) {
            println("not run: what the main thread reads and writes (wants Linux, which counts it)")
            return@test
        }
        val activity = activity().setup()
        val service = Robolectric.buildService(SafeScanJobService::class.java).create().get()
        val network = ShadowNetwork.newInstance(1)
        val steps = listOf<Pair<String, suspend () -> Unit>>(
            "begin to count" to { Foreground.of(app) },
            "open" to { open() },
            "open again" to { open() },
            "network" to { shadowOf(connectivity).networkCallbacks.single().run { onAvailable(network); onLost(network) } },
            "memory" to { app.onLowMemory() },
            "background" to { Foreground.of(app).onActivityStopped(activity.get()); untilAwake(false) },
            "foreground" to { Foreground.of(app).onActivityStarted(activity.get()); untilAwake(true) },
            "schedule" to { SafeScanJobService.schedule(app) },
            "job" to { service.onStartJob(parameters()); checkNotNull(service.run).join() },
            "stop job" to { service.onStopJob(parameters()) },
            "shutdown" to { SafeScanAndroid.shutdown(app) },
            "forget" to { SafeScanAndroid.forgetIdentity(app) },
        )
        // A first time for the JVM, which reads classes when they are used first.
        steps.forEach { (_, step) -> transfers(step) }
        assertEquals(steps.associate { (name, _) -> name to 0L }, steps.associate { (name, step) -> name to transfers(step) })
    }

    /** How often this thread asked the kernel to read or write while it did [step]. */
    private suspend fun transfers(step: suspend () -> Unit): Long {
        val before = count()
        step()
        return count() - before - looking
    }

    /** What a look at the counters adds to them itself. The first look reads classes as well. */
    private val looking by lazy { count().let { -(count() - count()) } }

    private fun count(): Long =
        counters.readLines().filter { it.startsWith("syscr: ") || it.startsWith("syscw: ") }.sumOf { it.substringAfter(": ").toLong() }

    private val counters = File("/proc/thread-self/io")
}
