package dev.safescan.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import dev.safescan.core.NetworkState

/**
 * Tells [changed] whether the app has a network: at its [start], and whenever that changes. A network that takes another's place
 * is told as well, for connections over the old one are dead. Calls come from the system's own thread.
 */
internal class NetworkWatch(context: Context, private val changed: (NetworkState) -> Unit) :
    ConnectivityManager.NetworkCallback(), AutoCloseable {
    private val connectivity = context.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager
    private var registered = false
    private var closed = false

    // Both are touched by the system's thread alone.
    private var present: Network? = null
    private var blocked = false

    @Synchronized
    fun start() {
        try {
            // Before registering: afterwards the system tells of every network there is, but not that there is none.
            changed(if (connectivity.activeNetwork == null) NetworkState.OFFLINE else NetworkState.ONLINE)
            // By whom was told, who has no use for it.
            if (closed) return
            connectivity.registerDefaultNetworkCallback(this)
            registered = true
        } catch (_: SecurityException) {
            // An app that took the permission out of its manifest, and some releases' bug: the core tries, and sees.
            changed(NetworkState.UNKNOWN)
        }
    }

    override fun onAvailable(network: Network) {
        present = network
        tell()
    }

    override fun onLost(network: Network) {
        // The network before may be told lost after its successor was told available.
        if (network == present) {
            present = null
            tell()
        }
    }

    /** From Android 10 on: the system keeps the network from this app, to save data or the battery. */
    override fun onBlockedStatusChanged(network: Network, isBlocked: Boolean) {
        // Told after each onAvailable as well, where it is no news.
        if (isBlocked == blocked) return
        blocked = isBlocked
        tell()
    }

    private fun tell() = changed(if (present == null || blocked) NetworkState.OFFLINE else NetworkState.ONLINE)

    /** May come from several threads; unregistering twice is an error. */
    @Synchronized
    override fun close() {
        closed = true
        if (registered) connectivity.unregisterNetworkCallback(this)
        registered = false
    }
}
