package dev.safescan.android

import android.util.Log
import dev.safescan.core.LogLevel
import dev.safescan.core.LogSink

/** Writes the core's log to Logcat. Its records hold no content of codes, no ids and no tokens. */
internal object LogcatSink : LogSink {
    /** No longer than what Android 7 takes: 23 characters. */
    const val TAG = "SafeScan"

    override fun log(level: LogLevel, target: String, text: String) {
        Log.println(priority(level), TAG, "$target: $text")
    }

    private fun priority(level: LogLevel): Int = when (level) {
        LogLevel.TRACE -> Log.VERBOSE
        LogLevel.DEBUG -> Log.DEBUG
        LogLevel.INFO -> Log.INFO
        LogLevel.WARN -> Log.WARN
        LogLevel.ERROR -> Log.ERROR
    }
}
