package dev.safescan.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import java.security.KeyStore
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Wraps secrets with an AES key of the Android Keystore. The wrapped form is the 12 bytes of the nonce, then AES-GCM's. */
internal class KeystoreCipher {
    /** The secret, wrapped by a key that is made if there is none. */
    fun wrap(secret: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        // The Keystore chooses the nonce and refuses any other.
        cipher.init(Cipher.ENCRYPT_MODE, key() ?: makeKey())
        val sealed = cipher.doFinal(secret)
        check(cipher.iv.size == NONCE_SIZE) { "the nonce has another size" }
        return cipher.iv + sealed
    }

    /** The secret, or null if it is lost for good. Every other failure may pass, and is thrown. */
    fun unwrap(wrapped: ByteArray): ByteArray? {
        if (wrapped.size <= NONCE_SIZE) return null
        val key = key() ?: return null
        val cipher = Cipher.getInstance(TRANSFORMATION)
        return try {
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_SIZE))
            cipher.doFinal(wrapped, NONCE_SIZE, wrapped.size - NONCE_SIZE)
        } catch (_: AEADBadTagException) {
            // Another key's, or not what was written.
            null
        } catch (_: KeyPermanentlyInvalidatedException) {
            null
        }
    }

    /** Removes the key: what it wrapped is lost. */
    fun forget() = keyStore().deleteEntry(ALIAS)

    private fun key(): SecretKey? = keyStore().getKey(ALIAS, null) as SecretKey?

    private fun makeKey(): SecretKey =
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).run {
            val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
            init(
                // No user authentication: a job needs the key while the device is locked.
                KeyGenParameterSpec.Builder(ALIAS, purposes)
                    .setKeySize(256)
                    .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                    .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                    .build(),
            )
            generateKey()
        }

    private fun keyStore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val ALIAS = "dev.safescan.identity"
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val NONCE_SIZE = 12
        const val TAG_BITS = 128
    }
}
