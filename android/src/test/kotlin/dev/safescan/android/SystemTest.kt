package dev.safescan.android

import android.content.ComponentCallbacks2
import android.content.ComponentName
import dev.safescan.core.HealthCause
import dev.safescan.core.MemoryPressure
import dev.safescan.core.Service
import dev.safescan.core.ServiceState
import dev.safescan.core.SyncConfig
import dev.safescan.core.VoteChoice
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import dev.safescan.core.syncStatus
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork

class SystemTest : AndroidTest() {
    @Test
    fun `the manifest lets only the system start the job, and begins the count`() {
        val service = app.packageManager.getServiceInfo(ComponentName(app, SafeScanJobService::class.java), 0)
        assertEquals("android.permission.BIND_JOB_SERVICE", service.permission)
        val provider = app.packageManager.getProviderInfo(ComponentName(app, SafeScanInitializer::class.java), 0)
        assertEquals(false, provider.exported)
        assertTrue("before an app's own providers, whose order is 0", provider.initOrder > 0)
        assertTrue("counting", Foreground.isInstalled(app))
    }

    @Test
    fun `in the background no file is open, back in the foreground they are`() = test {
        val activity = activity().setup()
        val core = open()
        untilAwake(true)
        assertTrue(openFiles().isNotEmpty())
        activity.pause().stop()
        untilAwake(false)
        assertEquals(emptyList<String>(), openFiles())
        assertEquals(HealthCause.SUSPENDED, core.cause(Service.LOCAL_STORAGE))
        core.recordScan("meanwhile")
        activity.restart().start().resume()
        untilAwake(true)
        assertEquals(HealthCause.NONE, core.cause(Service.LOCAL_STORAGE))
        assertEquals(1u, core.statistics().scans)
    }

    @Test
    fun `a process for a job or a receiver holds no file open from the start`() = test {
        val core = open()
        assertEquals(emptyList<String>(), openFiles())
        core.recordScan("by a receiver")
        assertEquals(1u, core.statistics().scans)
    }

    @Test
    fun `neither a rotation nor a second activity is a way to the background`() = test {
        val first = activity().setup()
        open()
        val states = mutableListOf<Boolean>()
        // Unconfined: told of each value as it is set.
        val follower = launch(Dispatchers.Unconfined) { Foreground.of(app).isForeground.collect { states += it } }
        first.recreate()
        val second = activity().setup()
        first.pause().stop()
        assertEquals(listOf(true), states)
        second.pause().stop()
        assertEquals(listOf(true, false), states)
        follower.cancel()
    }

    @Test
    fun `the network's loss and return are seen in the core's own status`() = test {
        TestServer().use { server ->
            (app as TestApplication).token = TestServer.TOKEN
            (app as TestApplication).configure = { copy(sync = SyncConfig(server.url, allowPlainLoopback = true)) }
            activity().setup()
            val core = (app as TestApplication).safeScan()
            val callback = shadowOf(connectivity).networkCallbacks.single()
            val (one, two) = listOf(ShadowNetwork.newInstance(1), ShadowNetwork.newInstance(2))
            callback.onAvailable(one)
            core.syncStatus.first { it.state == ServiceState.HEALTHY && it.realtime == ServiceState.HEALTHY }
            callback.onLost(one)
            assertEquals(HealthCause.OFFLINE, core.cause(Service.CLOUD_SYNC))
            core.submitVote("https://example.com/", VoteChoice.SAFE)
            assertEquals(HealthCause.OFFLINE, core.syncStatus.first { it.pending == 1u }.cause)
            callback.onAvailable(two)
            core.syncStatus.first { it.state == ServiceState.HEALTHY && it.realtime == ServiceState.HEALTHY && it.pending == 0u }
            SafeScanAndroid.shutdown(app)
            assertTrue("unregistered", shadowOf(connectivity).networkCallbacks.isEmpty())
        }
    }

    @Test
    fun `an app that closes the shared handle does not crash when the system tells something`() = test {
        val core = open()
        core.recordScan("kept")
        val callback = shadowOf(connectivity).networkCallbacks.single()
        core.close()
        callback.onAvailable(ShadowNetwork.newInstance(1))
        assertTrue("tied no longer", shadowOf(connectivity).networkCallbacks.isEmpty())
        callback.onLost(ShadowNetwork.newInstance(1))
        app.onLowMemory()
        assertEquals(1u, open().statistics().scans)
    }

    @Test
    fun `what the watch of the network says`() {
        val shadow = shadowOf(connectivity)
        val said = mutableListOf<String>()
        val (one, two) = listOf(ShadowNetwork.newInstance(1), ShadowNetwork.newInstance(2))
        val watch = NetworkWatch(app) { said += it.name }
        watch.start()
        watch.onAvailable(one)
        watch.onAvailable(two)
        watch.onLost(one)
        watch.onBlockedStatusChanged(two, false)
        watch.onBlockedStatusChanged(two, true)
        watch.onBlockedStatusChanged(two, false)
        watch.onLost(two)
        assertEquals(listOf("ONLINE", "ONLINE", "ONLINE", "OFFLINE", "ONLINE", "OFFLINE"), said)
        watch.close()
        shadow.setActiveNetworkInfo(null)
        said.clear()
        val next = NetworkWatch(app) { said += it.name }
        next.start()
        repeat(2) { next.close() }
        assertEquals(listOf("OFFLINE"), said)
        lateinit var deaf: NetworkWatch
        deaf = NetworkWatch(app) { deaf.close() }
        deaf.start()
        assertTrue(shadow.networkCallbacks.isEmpty())
    }

    @Test
    @Suppress("DEPRECATION")
    fun `memory is given back when the system wants it`() = test {
        val core = open()
        repeat(100) { core.cacheSet("key $it", "value") }
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN)
        assertEquals(100u, core.cacheStatistics().entries)
        app.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND)
        assertTrue("${core.cacheStatistics()}", core.cacheStatistics().entries in 1u..60u)
        app.onLowMemory()
        assertEquals(0u, core.cacheStatistics().entries)

        val levels = listOf(0, 5, 10, 15, 20, 40, 60, 80).map { memoryPressure(it) }
        val (moderate, critical) = MemoryPressure.MODERATE to MemoryPressure.CRITICAL
        assertEquals(listOf(null, moderate, moderate, critical, null, moderate, critical, critical), levels)
    }
}
