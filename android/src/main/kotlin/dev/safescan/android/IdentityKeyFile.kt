package dev.safescan.android

import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.ProviderException
import java.security.SecureRandom

/** How the identity that makes this device's votes its own came to be. */
enum class IdentityOrigin {
    /** The one that this installation had before. */
    KEPT,

    /** Made just now, for a new installation. */
    NEW,

    /**
     * Made just now, though there are data: they came from a backup or from another device, or the Keystore lost its
     * key. The history and the votes are all there, but the server takes this installation for another person.
     */
    REPLACED,
}

/**
 * The identity key cannot be read or made at the moment: the Keystore does not answer, or the file cannot be written.
 * Nothing was changed; try again later. If it never works on a device, [SafeScanAndroid.forgetIdentity] starts afresh.
 */
class IdentityKeyUnavailableException(cause: Throwable) :
    Exception("the identity key cannot be used at the moment: ${cause.javaClass.simpleName}", cause)

/** A key for the core, and where it comes from. */
internal class Identity(val key: ByteArray, val origin: IdentityOrigin)

/**
 * The identity key's file: 32 secret bytes, wrapped by a key that never leaves the [KeystoreCipher]. A copy of the file is
 * worth nothing on another device.
 *
 * Two things must never be mixed up. What can never be unwrapped again is replaced, so that the app goes on working. What
 * cannot be unwrapped just now is left alone: a new key would make another person of the user, for good.
 */
internal class IdentityKeyFile(file: File, private val cipher: KeystoreCipher = KeystoreCipher()) {
    // Written beside the old one and synced; a kill leaves the old one or the new one.
    private val file = AtomicFile(file)

    /** The key; made and written if there is none. [dataExist] tells whether a new one takes an earlier one's place. */
    fun load(dataExist: Boolean): Identity = available {
        when (val wrapped = read()) {
            null -> make(if (dataExist) IdentityOrigin.REPLACED else IdentityOrigin.NEW)
            else -> cipher.unwrap(wrapped)?.takeIf { it.size == KEY_SIZE }?.let { Identity(it, IdentityOrigin.KEPT) }
                ?: make(IdentityOrigin.REPLACED)
        }
    }

    /** Removes the file and the Keystore's key. */
    fun forget() = available {
        file.delete()
        cipher.forget()
    }

    private fun read(): ByteArray? =
        try {
            file.readFully()
        } catch (_: FileNotFoundException) {
            null
        }

    private fun make(origin: IdentityOrigin): Identity {
        val key = ByteArray(KEY_SIZE).also { SecureRandom().nextBytes(it) }
        val wrapped = cipher.wrap(key)
        val out = file.startWrite()
        try {
            out.write(wrapped)
            file.finishWrite(out)
        } catch (failed: IOException) {
            file.failWrite(out)
            throw failed
        }
        // AtomicFile only logs that it could not put the file in its place.
        if (!wrapped.contentEquals(read())) throw IOException("the file did not take its place")
        return Identity(key, origin)
    }

    private fun <T> available(call: () -> T): T =
        try {
            call()
        } catch (failed: IOException) {
            throw IdentityKeyUnavailableException(failed)
        } catch (failed: GeneralSecurityException) {
            throw IdentityKeyUnavailableException(failed)
        } catch (failed: ProviderException) {
            // Unchecked, and what the Keystore throws when its service does not answer.
            throw IdentityKeyUnavailableException(failed)
        }

    private companion object {
        /** What the core wants. */
        const val KEY_SIZE = 32
    }
}
