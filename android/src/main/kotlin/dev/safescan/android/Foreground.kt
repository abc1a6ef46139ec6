package dev.safescan.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/**
 * Whether the app is in the foreground: whether any of its activities is between start and stop. Counts them from the
 * process's first moment on ([SafeScanInitializer]), so that a process that the system made for a job or a receiver is
 * known to be in the background. Keeps no activity.
 */
internal class Foreground(val application: Application) : Application.ActivityLifecycleCallbacks {
    private val state = MutableStateFlow(false)
    private var started = 0

    val isForeground: StateFlow<Boolean> = state.asStateFlow()

    override fun onActivityStarted(activity: Activity) {
        started++
        state.value = true
    }

    override fun onActivityStopped(activity: Activity) {
        // Never below zero: counting may have begun in the middle, where the initializer was taken out of the manifest.
        started = (started - 1).coerceAtLeast(0)
        // A rotated activity stops and its successor starts at once: that is no way to the background.
        if (started == 0 && !activity.isChangingConfigurations) state.value = false
    }

    override fun onActivityCreated(activity: Activity, savedInstanceState: Bundle?) = Unit
    override fun onActivityResumed(activity: Activity) = Unit
    override fun onActivityPaused(activity: Activity) = Unit
    override fun onActivitySaveInstanceState(activity: Activity, outState: Bundle) = Unit
    override fun onActivityDestroyed(activity: Activity) = Unit

    companion object {
        private var current: Foreground? = null

        /** The one of this application; counts from the first call on. */
        @Synchronized
        fun of(application: Application): Foreground =
            current?.takeIf { it.application === application }
                ?: Foreground(application).also {
                    application.registerActivityLifecycleCallbacks(it)
                    current = it
                }

        /** Whether this application's activities are counted. */
        @Synchronized
        internal fun isInstalled(application: Application): Boolean = current?.application === application
    }
}
