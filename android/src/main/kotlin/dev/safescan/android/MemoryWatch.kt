package dev.safescan.android

import android.content.ComponentCallbacks2
import android.content.res.Configuration
import dev.safescan.core.MemoryPressure

/** Tells [wanted] when the system wants memory back. */
internal class MemoryWatch(private val wanted: (MemoryPressure) -> Unit) : ComponentCallbacks2 {
    override fun onTrimMemory(level: Int) {
        memoryPressure(level)?.let(wanted)
    }

    @Deprecated("What the system calls on devices that do not trim.")
    override fun onLowMemory() = wanted(MemoryPressure.CRITICAL)

    override fun onConfigurationChanged(newConfig: Configuration) = Unit
}

/**
 * What a level of [ComponentCallbacks2.onTrimMemory] means for the core. In the foreground only the last level means that
 * other processes die already; in the background the later ones mean that this process is among the next. Since Android 14
 * the system tells of `UI_HIDDEN` and `BACKGROUND` only; the first is about views alone. Levels between the named ones are
 * allowed.
 */
@Suppress("DEPRECATION") // Of the constants, for apps on Android 14 and later; the older ones send them still.
internal fun memoryPressure(level: Int): MemoryPressure? = when {
    level >= ComponentCallbacks2.TRIM_MEMORY_MODERATE -> MemoryPressure.CRITICAL
    level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND -> MemoryPressure.MODERATE
    level >= ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN -> null
    level >= ComponentCallbacks2.TRIM_MEMORY_RUNNING_CRITICAL -> MemoryPressure.CRITICAL
    level >= ComponentCallbacks2.TRIM_MEMORY_RUNNING_MODERATE -> MemoryPressure.MODERATE
    else -> null
}
