package dev.safescan.sample

import android.app.Application
import dev.safescan.android.SafeScanAndroid
import dev.safescan.android.SafeScanJobService
import dev.safescan.android.SafeScanOwner
import dev.safescan.core.LogLevel
import dev.safescan.core.SafeScan
import dev.safescan.core.SyncConfig

/** Owns the core: its screen asks here for it, and so does the job that synchronises while no screen is shown. */
open class ScannerApp : Application(), SafeScanOwner {
    /** The server where everybody's votes come together. Without one the app works on, and all stays on the phone. */
    open val sync: SyncConfig? by lazy { SyncConfig(getString(R.string.server)) }

    override suspend fun safeScan(): SafeScan =
        SafeScanAndroid.open(this, log = LogLevel.INFO) { copy(sync = this@ScannerApp.sync) }

    override fun onCreate() {
        super.onCreate()
        SafeScanJobService.schedule(this)
    }
}
