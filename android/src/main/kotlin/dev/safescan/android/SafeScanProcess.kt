package dev.safescan.android

import android.app.Application
import dev.safescan.core.LogLevel
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig
import dev.safescan.core.SafeScanException
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** What one process keeps of its core: the handle that all share, and what ties it to the system. */
internal class SafeScanProcess(val application: Application) {
    private val one = Mutex()
    private var configuration: SafeScanConfig? = null

    /** Kept for the process's life: the Keystore takes tens of milliseconds. */
    private var identity: Identity? = null

    /** What ties the open core to the system. */
    @Volatile
    var attachment: Attachment? = null
        private set

    @Volatile
    var identityOrigin: IdentityOrigin? = null
        private set

    suspend fun open(log: LogLevel?, configure: SafeScanConfig.() -> SafeScanConfig): SafeScan = exclusively {
        val directory = File(application.filesDir, DIRECTORY)
        val wanted = SafeScanConfig(directory = directory.path).configure()
        val current = attachment?.takeIf { it.core.isOpen() }
        if (current != null && configuration?.directory != wanted.directory) {
            throw SafeScanException.InvalidInput("another directory is open in this process: shut the core down first")
        }
        val identity = if (wanted.identityKey == null) identity ?: loadIdentity(File(wanted.directory)) else null
        val config = if (identity == null) wanted else wanted.copy(identityKey = identity.key)
        val core = withNativeLibrary { SafeScan.open(config) }
        val tied = if (current != null) {
            // The same core, or it would have been refused; one handle is enough.
            core.close()
            current
        } else {
            attachment?.close()
            configuration = config
            identityOrigin = identity?.origin
            Attachment(core, Foreground.of(application), log).also { attachment = it }
        }
        // Nobody gets a core that is awake in the background.
        tied.isAwake.first { it != null }
        tied.core
    }

    suspend fun shutdown() = exclusively { close() }

    suspend fun forgetIdentity() = exclusively {
        close()
        identityFile().forget()
        identity = null
    }

    private suspend fun close() {
        val tied = attachment ?: return
        attachment = null
        identityOrigin = null
        tied.close()
        try {
            tied.core.shutdown()
        } catch (_: IllegalStateException) {
            // The app gave the shared handle back; whoever has another one shuts down.
        }
    }

    private fun loadIdentity(directory: File): Identity =
        identityFile().load(dataExist = File(directory, DATABASE).exists()).also { identity = it }

    private fun identityFile() = IdentityKeyFile(File(application.noBackupFilesDir, KEY_FILE))

    private suspend fun <T> exclusively(call: suspend () -> T): T = withContext(Dispatchers.IO) { one.withLock { call() } }

    internal companion object {
        /** The backup rules in res/xml name it as well. */
        const val DIRECTORY = "safescan"
        const val DATABASE = "safescan.db"
        const val KEY_FILE = "safescan-identity"
    }
}

/** Whether the core was neither shut down nor its handle given back. */
private fun SafeScan.isOpen(): Boolean =
    try {
        cacheStatistics()
        true
    } catch (_: SafeScanException.Stopped) {
        false
    } catch (_: IllegalStateException) {
        false
    }
