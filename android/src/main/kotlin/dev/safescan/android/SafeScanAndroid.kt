package dev.safescan.android

import android.app.Application
import android.content.Context
import dev.safescan.core.LogLevel
import dev.safescan.core.SafeScan
import dev.safescan.core.SafeScanConfig

/**
 * The core of an Android app: opened where its files belong, with an identity key that the Keystore guards, and tied to
 * what the system tells. It sleeps while the app is in the background, knows of the network, and gives memory back.
 *
 * ```
 * class App : Application(), SafeScanOwner {
 *     override suspend fun safeScan() =
 *         SafeScanAndroid.open(this) { copy(sync = SyncConfig("https://votes.example.com")) }
 * }
 * ```
 *
 * Call from any thread: work on files, the Keystore and loading the library are kept off the caller's.
 */
object SafeScanAndroid {
    private var current: SafeScanProcess? = null

    /**
     * Opens the core, or gives the one that this process has open: everybody shares one handle, so do not close it.
     *
     * The databases lie in `safescan` in the app's files, the wrapped identity key in its no-backup files. While none of
     * the app's activities is started, the core holds no file open; calls made meanwhile open files for their own duration.
     *
     * @param log Writes records of this level and more important ones to Logcat, under the tag `SafeScan`. Taken from the
     *   call that opens the core.
     * @param configure Changes the configuration: `{ copy(votesPerMinute = 5u) }`. An `identityKey` given here is used in
     *   place of the Keystore's.
     * @throws dev.safescan.core.SafeScanException as [SafeScan.open] does; `InvalidInput` as well if the core is open with
     *   another configuration, `StorageUnavailable` before the device's first unlocking after a start.
     * @throws IdentityKeyUnavailableException if the Keystore does not answer; try again later.
     * @throws NativeLibraryMissingException if the app has no library for this device's processor.
     */
    suspend fun open(
        context: Context,
        log: LogLevel? = null,
        configure: SafeScanConfig.() -> SafeScanConfig = { this },
    ): SafeScan = of(context).open(log, configure)

    /**
     * How the identity of the open core came to be; null while none is open, or if the app gave a key of its own.
     * [IdentityOrigin.REPLACED] is worth a word to the user: votes cast before can no longer be changed on the server.
     */
    fun identityOrigin(context: Context): IdentityOrigin? = of(context).identityOrigin

    /** Shuts the core down and takes it from everything the system tells. [open] opens it anew. */
    suspend fun shutdown(context: Context) = of(context).shutdown()

    /**
     * Shuts the core down and forgets its identity key; the data stay. The next [open] makes another, so that the server
     * takes this installation for another person. For an app's "reset my identity", and for a device whose Keystore failed
     * for good.
     *
     * @throws IdentityKeyUnavailableException if it cannot be removed.
     */
    suspend fun forgetIdentity(context: Context) = of(context).forgetIdentity()

    @Synchronized
    internal fun of(context: Context): SafeScanProcess {
        val application = context.applicationContext as Application
        return current?.takeIf { it.application === application } ?: SafeScanProcess(application).also { current = it }
    }
}

/** What owns the core of an app: its [Application]. [SafeScanJobService] asks it, in a process that the app did not start. */
interface SafeScanOwner {
    /** The core, with the app's configuration, its token set; usually [SafeScanAndroid.open]. */
    suspend fun safeScan(): SafeScan
}
