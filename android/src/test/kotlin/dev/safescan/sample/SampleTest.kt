package dev.safescan.sample

import android.net.ConnectivityManager.NetworkCallback
import android.os.Bundle
import android.os.Looper
import android.view.View
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import dev.safescan.android.AndroidTest
import dev.safescan.android.TestServer
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.SyncConfig
import dev.safescan.core.withSafeScan
import java.io.File
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.test.resetMain
import kotlinx.coroutines.test.setMain
import kotlinx.coroutines.withTimeoutOrNull
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowNetwork

/** The sample as it is, but for its server. */
class TestScannerApp : ScannerApp() {
    override var sync: SyncConfig? = null

    override suspend fun safeScan(): SafeScan =
        super.safeScan().also { core -> sync?.let { core.setAuthToken(TestServer.TOKEN) } }
}

@Config(application = TestScannerApp::class)
@OptIn(ExperimentalCoroutinesApi::class)
abstract class SampleTest : AndroidTest() {
    /** Something of the screen's was done in the main thread. */
    private val steps = Channel<Unit>(Channel.CONFLATED)

    internal fun configure(server: TestServer) {
        (app as TestScannerApp).sync = SyncConfig(server.url, allowPlainLoopback = true)
    }

    /** As [test], and what the app does in the main thread is done while the test waits. */
    internal fun sampleTest(block: suspend CoroutineScope.() -> Unit) = test {
        Dispatchers.setMain(Noticing(checkNotNull(coroutineContext[CoroutineDispatcher])))
        try {
            block()
        } finally {
            Dispatchers.resetMain()
        }
    }

    /** Runs [block] with the app's screen, which is closed afterwards; gives what the system would keep of it. */
    internal suspend fun withScreen(kept: Bundle? = null, block: suspend TestScreen.() -> Unit): Bundle {
        val controller = Robolectric.buildActivity(ScannerActivity::class.java)
        if (kept == null) controller.setup() else controller.setup(kept)
        return controller.use {
            TestScreen(controller.get()).block()
            Bundle().also { controller.pause().stop().saveInstanceState(it) }
        }
    }

    /** Runs [block] on another person's phone. */
    internal suspend fun withOtherPhone(server: TestServer, block: suspend (SafeScan) -> Unit) {
        val sync = SyncConfig(server.url, allowPlainLoopback = true)
        withSafeScan(SafeScanConfig(File(app.cacheDir, "other").path, sync = sync)) { other ->
            other.setAuthToken(TestServer.OTHER_TOKEN)
            block(other)
        }
    }

    /** Tells the open core of the network's coming or going, as the system does. */
    internal fun network(present: Boolean) {
        val shadow = shadowOf(connectivity)
        val network = ShadowNetwork.newInstance(1)
        shadow.networkCallbacks.single().run { if (present) onAvailable(network) else lose(network) }
    }

    private fun NetworkCallback.lose(network: android.net.Network) {
        onAvailable(network)
        onLost(network)
    }

    /** Waits until [condition] holds: it is looked at again after each step of the screen's. */
    internal suspend fun until(said: () -> String, condition: () -> Boolean) {
        // Lists lay their rows out in a message of their own.
        val holds = { shadowOf(Looper.getMainLooper()).idle(); condition() }
        withTimeoutOrNull(30.seconds) { while (!holds()) steps.receive() } ?: throw AssertionError(said())
    }

    internal inner class TestScreen(val activity: ScannerActivity) {
        val history: ListView get() = view(R.id.history) as ListView

        fun view(id: Int): View = checkNotNull(activity.findViewById(id))
        fun text(id: Int): String = (view(id) as TextView).text.toString()
        fun row(position: Int): List<String> =
            listOf(R.id.row_text, R.id.row_about).map { history.getChildAt(position).findViewById<TextView>(it)?.text.toString() }

        fun isShown(id: Int): Boolean = view(id).isShown

        fun tap(id: Int) = check(isShown(id) && view(id).performClick())

        fun scan(text: String) {
            (view(R.id.code) as EditText).setText(text)
            tap(R.id.scan)
        }

        /** Taps the history's row with this [text]. */
        fun choose(text: String) {
            val position = (0 until history.count).single { (history.adapter.getItem(it) as Row).scan.text == text }
            history.performItemClick(history.getChildAt(position), position, 0)
        }

        /** Waits until the views with these ids say this. */
        suspend fun untilSaid(vararg wanted: Pair<Int, String>) = until { wanted.all { (id, words) -> text(id) == words } }

        suspend fun until(condition: () -> Boolean) = until(::everything, condition)

        /** All that stands on the screen. */
        private fun everything(): String =
            listOf(R.id.banner, R.id.message, R.id.scanned_text, R.id.assessment, R.id.votes).joinToString(" | ") { text(it) }
    }

    private inner class Noticing(private val loop: CoroutineDispatcher) : CoroutineDispatcher() {
        override fun dispatch(context: CoroutineContext, block: Runnable) = loop.dispatch(context) {
            block.run()
            steps.trySend(Unit)
        }
    }
}
