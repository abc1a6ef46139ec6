package dev.safescan.android

import android.app.Activity
import android.app.Application
import android.app.job.JobParameters
import android.content.Context
import android.net.ConnectivityManager
import dev.safescan.core.HealthCause
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.Service
import java.io.File
import java.nio.file.Files
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.android.controller.ActivityController

/** An app as its developers write it. */
class TestApplication : Application(), SafeScanOwner {
    var configure: SafeScanConfig.() -> SafeScanConfig = { this }
    var token: String? = null
    var failure: Exception? = null

    override suspend fun safeScan(): SafeScan {
        failure?.let { throw it }
        return SafeScanAndroid.open(this, configure = configure).also { core -> token?.let { core.setAuthToken(it) } }
    }
}

@RunWith(RobolectricTestRunner::class)
abstract class AndroidTest {
    internal val app: Application get() = RuntimeEnvironment.getApplication()
    internal val directory get() = File(app.filesDir, "safescan")
    internal val keyFile get() = File(app.noBackupFilesDir, "safescan-identity")

    @Before
    fun aProcessBegins() {
        TestKeystore.install()
        // A device makes an app's providers at once, Robolectric when they are asked for.
        Robolectric.buildContentProvider(SafeScanInitializer::class.java).create()
    }

    @After
    fun shutDown() = runBlocking { SafeScanAndroid.shutdown(app) }

    /** Runs [block] in the main thread, as tests are; what waits for ever is a failure. */
    internal fun test(block: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(60.seconds) { block() } }

    internal suspend fun open(configure: SafeScanConfig.() -> SafeScanConfig = { this }) =
        SafeScanAndroid.open(app, configure = configure)

    internal val connectivity get() = app.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager

    internal fun activity(): ActivityController<Activity> = Robolectric.buildActivity(Activity::class.java)

    /** Waits until the core did what the app's way to the foreground or the background asks of it. */
    internal suspend fun untilAwake(awake: Boolean) =
        checkNotNull(SafeScanAndroid.of(app).attachment).isAwake.first { it == awake }

    /** Files of the core's directory that this process holds open. */
    internal fun openFiles(): List<String> =
        File("/proc/self/fd").list().orEmpty().mapNotNull { number ->
            // Some are gone before they are looked at.
            runCatching { Files.readSymbolicLink(File("/proc/self/fd", number).toPath()).toString() }.getOrNull()
        }.filter { it.startsWith(directory.path) }
}

internal fun SafeScan.cause(service: Service): HealthCause = health().services.first { it.service == service }.cause

/** A job's parameters, whose constructor is the system's: a service only hands them back. */
internal fun parameters(): JobParameters = Class.forName("sun.misc.Unsafe").run {
    val unsafe = getDeclaredField("theUnsafe").apply { isAccessible = true }.get(null)
    getMethod("allocateInstance", Class::class.java).invoke(unsafe, JobParameters::class.java) as JobParameters
}
