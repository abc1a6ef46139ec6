package dev.safescan.android

import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.ProviderException
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec
import android.security.keystore.KeyGenParameterSpec

/** In place of the Android Keystore, which is hardware and a system service: keys in memory, and failures on demand. */
internal object TestKeystore {
    val keys = mutableMapOf<String, SecretKey>()

    /** Whether the service does not answer. */
    var isSilent = false

    fun install() {
        keys.clear()
        isSilent = false
        Security.removeProvider(NAME)
        Security.addProvider(TestProvider())
    }

    fun ask() {
        if (isSilent) throw ProviderException("the service does not answer")
    }

    const val NAME = "AndroidKeyStore"
}

internal class TestProvider : Provider(TestKeystore.NAME, "1", "for tests") {
    init {
        put("KeyStore.${TestKeystore.NAME}", TestKeyStoreSpi::class.java.name)
        put("KeyGenerator.AES", TestKeyGenerator::class.java.name)
    }
}

class TestKeyGenerator : KeyGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()
    override fun engineInit(keysize: Int, random: SecureRandom?) = throw UnsupportedOperationException()

    override fun engineGenerateKey(): SecretKey {
        TestKeystore.ask()
        val bytes = ByteArray(spec.keySize / 8).also { SecureRandom().nextBytes(it) }
        return SecretKeySpec(bytes, "AES").also { TestKeystore.keys[spec.keystoreAlias] = it }
    }
}

class TestKeyStoreSpi : KeyStoreSpi() {
    override fun engineLoad(stream: InputStream?, password: CharArray?) = TestKeystore.ask()
    override fun engineGetKey(alias: String, password: CharArray?): Key? = TestKeystore.keys[alias]
    override fun engineContainsAlias(alias: String): Boolean = alias in TestKeystore.keys
    override fun engineDeleteEntry(alias: String) {
        TestKeystore.keys.remove(alias)
    }

    override fun engineAliases(): Enumeration<String> = Collections.enumeration(TestKeystore.keys.keys)
    override fun engineSize(): Int = TestKeystore.keys.size
    override fun engineIsKeyEntry(alias: String): Boolean = engineContainsAlias(alias)
    override fun engineIsCertificateEntry(alias: String): Boolean = false
    override fun engineGetCertificate(alias: String): Certificate? = null
    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null
    override fun engineGetCertificateAlias(certificate: Certificate): String? = null
    override fun engineGetCreationDate(alias: String): Date? = null
    override fun engineSetKeyEntry(a: String, k: Key, p: CharArray?, c: Array<out Certificate>?) = throw UnsupportedOperationException()
    override fun engineSetKeyEntry(a: String, k: ByteArray, c: Array<out Certificate>?) = throw UnsupportedOperationException()
    override fun engineSetCertificateEntry(a: String, c: Certificate) = throw UnsupportedOperationException()
    override fun engineStore(stream: OutputStream?, password: CharArray?) = throw UnsupportedOperationException()
}
