package dev.safescan.consumer

import android.app.Application
import dev.safescan.android.SafeScanAndroid
import dev.safescan.android.SafeScanJobService
import dev.safescan.android.SafeScanOwner

/** The app as Android starts it. */
class App : Application(), SafeScanOwner {
    override fun onCreate() {
        super.onCreate()
        SafeScanJobService.schedule(this)
    }

    override suspend fun safeScan() = SafeScanAndroid.open(this)
}
