package dev.safescan.android

import dev.safescan.core.ScanQuery
import dev.safescan.core.SyncConfig
import dev.safescan.core.VoteChoice
import dev.safescan.core.myVote
import dev.safescan.core.rating
import dev.safescan.core.recordScan
import dev.safescan.core.submitVote
import java.io.File
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class IdentityTest : AndroidTest() {
    private fun load(dataExist: Boolean = true) = IdentityKeyFile(keyFile).load(dataExist)

    @Test
    fun `a key is made once, and never lies open in its file`() {
        val made = load(dataExist = false)
        assertEquals(IdentityOrigin.NEW, made.origin)
        assertEquals(32, made.key.size)
        val hex = { bytes: ByteArray -> bytes.joinToString("") { "%02x".format(it) } }
        assertFalse(hex(made.key) in hex(keyFile.readBytes()))
        val kept = load()
        assertEquals(IdentityOrigin.KEPT, kept.origin)
        assertArrayEquals(made.key, kept.key)
    }

    @Test
    fun `a restored backup keeps the data and makes another person`() = test {
        // A backup holds the database and its log; other files, the key's file and the Keystore stay behind.
        val scan = open { copy(sync = SyncConfig("https://example.invalid", onlyWhenAsked = true)) }.run {
            submitVote("https://example.com/", VoteChoice.SAFE)
            recordScan("https://example.com/")
        }
        SafeScanAndroid.shutdown(app)
        directory.listFiles().orEmpty().filterNot { it.name in setOf("safescan.db", "safescan.db-wal") }.forEach { it.deleteRecursively() }
        keyFile.delete()
        TestKeystore.keys.clear()
        val restored = SafeScanProcess(app)
        val core = restored.open(null) { copy(sync = SyncConfig("https://example.invalid", onlyWhenAsked = true)) }
        assertEquals(IdentityOrigin.REPLACED, restored.identityOrigin)
        assertEquals(listOf(scan), core.scanHistory(ScanQuery()).scans)
        assertEquals("counts still", 1u, core.rating(scan.text).safeVotes)
        assertEquals("another's", null, core.myVote(scan.text))
        assertEquals("waits still", 1u, core.statistics().pendingOperations)
        restored.shutdown()
    }

    @Test
    fun `a Keystore that lost its key, another device's key and a corrupt file make a new one, once`() {
        val breaks = mapOf<String, () -> Unit>(
            "lost" to { TestKeystore.keys.clear() },
            "another" to {
                TestKeystore.keys.clear()
                IdentityKeyFile(File(app.cacheDir, "elsewhere")).load(false)
            },
            "empty" to { keyFile.writeBytes(ByteArray(0)) },
            "short" to { keyFile.writeBytes(keyFile.readBytes().copyOf(20)) },
            "flipped" to { keyFile.writeBytes(keyFile.readBytes().also { it[30] = (it[30].toInt() xor 1).toByte() }) },
        )
        for ((name, breakIt) in breaks) {
            val before = load()
            breakIt()
            val after = load()
            assertEquals(name, IdentityOrigin.REPLACED, after.origin)
            assertFalse(name, before.key.contentEquals(after.key))
            assertArrayEquals(name, after.key, load().key)
        }
    }

    @Test
    fun `a Keystore that does not answer changes nothing`() = test {
        val made = load(dataExist = false)
        val file = keyFile.readBytes()
        TestKeystore.isSilent = true
        assertThrows(IdentityKeyUnavailableException::class.java) { runBlocking { open() } }
        assertArrayEquals(file, keyFile.readBytes())
        TestKeystore.isSilent = false
        open()
        assertEquals(IdentityOrigin.KEPT, SafeScanAndroid.identityOrigin(app))
        assertArrayEquals(made.key, load().key)
    }

    @Test
    fun `a forgotten identity is replaced, the data stay`() = test {
        open().submitVote("https://example.com/", VoteChoice.SAFE)
        SafeScanAndroid.forgetIdentity(app)
        assertTrue(!keyFile.exists() && TestKeystore.keys.isEmpty())
        assertEquals(1u, open().statistics().votes)
        assertEquals(IdentityOrigin.REPLACED, SafeScanAndroid.identityOrigin(app))
    }
}
