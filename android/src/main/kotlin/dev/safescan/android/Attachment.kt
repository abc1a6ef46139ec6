package dev.safescan.android

import dev.safescan.core.LogLevel
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/**
 * Ties a [core] to what the system tells the app: foreground and background, the network, memory. Closed, it is tied no
 * longer, and the core goes on. After the core's shutdown it closes itself at the next thing the system tells.
 */
internal class Attachment(val core: SafeScan, foreground: Foreground, log: LogLevel?) : AutoCloseable {
    private val application = foreground.application
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val memory = MemoryWatch { level -> tell { core.memoryPressure(level) } }
    private val network = NetworkWatch(application) { state -> tell { core.networkChanged(state) } }
    private val state = MutableStateFlow<Boolean?>(null)

    /** Whether the core was told to be awake, and did it; null before it was told anything. False when it is tied no longer. */
    val isAwake: StateFlow<Boolean?> = state.asStateFlow()

    init {
        if (log != null) tell { core.setLogSink(log, LogcatSink) }
        application.registerComponentCallbacks(memory)
        network.start()
        scope.launch {
            // One after the other, and of those that come meanwhile only the latest.
            foreground.isForeground.collect { isForeground ->
                tell { if (isForeground) core.resume() else core.suspend() }
                state.value = isForeground
            }
        }
    }

    override fun close() {
        scope.cancel()
        // Whoever waits to hear that it sleeps would wait for ever.
        state.value = false
        network.close()
        application.unregisterComponentCallbacks(memory)
    }

    private inline fun tell(call: () -> Unit) {
        try {
            call()
        } catch (_: SafeScanException.Stopped) {
            close()
        } catch (_: SafeScanException) {
            // Files that cannot be closed or opened just now: the core says so in its health, and the next call tries anew.
        } catch (thrown: IllegalStateException) {
            // The app gave the shared handle back, which it should not; no reason to crash in the system's own calls.
            if (thrown is CancellationException) throw thrown
            close()
        }
    }
}
