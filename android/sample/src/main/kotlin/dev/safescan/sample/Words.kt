package dev.safescan.sample

import dev.safescan.android.IdentityKeyUnavailableException
import dev.safescan.android.NativeLibraryMissingException
import dev.safescan.core.Assessment
import dev.safescan.core.QrKind
import dev.safescan.core.SafeScanException

/** Runs [call], and gives words for the user if it fails. What is no failure of the core's is thrown on. */
internal suspend fun troubleIn(call: suspend () -> Unit): Int? =
    try {
        call()
        null
    } catch (failed: SafeScanException) {
        words(failed)
    } catch (_: IdentityKeyUnavailableException) {
        R.string.trouble_key
    } catch (_: NativeLibraryMissingException) {
        R.string.trouble_device
    }

private fun words(failed: SafeScanException): Int = when (failed) {
    is SafeScanException.InvalidInput -> R.string.trouble_code
    is SafeScanException.StorageFull -> R.string.trouble_full
    is SafeScanException.StorageUnavailable -> R.string.trouble_files
    // The screen asks nothing of the network, and the core does what it does by itself: see the banner.
    else -> R.string.trouble_other
}

internal val Assessment.words: Int
    get() = when (this) {
        Assessment.SAFE -> R.string.assessment_safe
        Assessment.UNSAFE -> R.string.assessment_unsafe
        Assessment.MIXED -> R.string.assessment_mixed
        Assessment.INSUFFICIENT -> R.string.assessment_insufficient
    }

internal val Assessment.colour: Int
    get() = when (this) {
        Assessment.SAFE -> R.color.safe
        Assessment.UNSAFE -> R.color.unsafe
        Assessment.MIXED -> R.color.mixed
        Assessment.INSUFFICIENT -> R.color.unknown
    }

internal val QrKind.words: Int
    get() = when (this) {
        QrKind.WEB_LINK -> R.string.kind_web
        QrKind.APP_LINK -> R.string.kind_app
        QrKind.WIFI -> R.string.kind_wifi
        QrKind.CONTACT -> R.string.kind_contact
        QrKind.OTP -> R.string.kind_otp
        QrKind.EMAIL -> R.string.kind_email
        QrKind.SMS -> R.string.kind_sms
        QrKind.PHONE -> R.string.kind_phone
        QrKind.LOCATION -> R.string.kind_location
        QrKind.CALENDAR -> R.string.kind_calendar
        QrKind.PAYMENT -> R.string.kind_payment
        QrKind.PRODUCT -> R.string.kind_product
        QrKind.TEXT -> R.string.kind_text
    }
