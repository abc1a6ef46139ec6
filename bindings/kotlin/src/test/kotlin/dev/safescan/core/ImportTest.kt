package dev.safescan.core

import java.nio.file.Files
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class ImportTest {
    @TempDir
    lateinit var directory: Path

    private val app get() = directory.resolve("app")
    private val source get() = AsyncStorageSource(directory = app.toString())

    /** Writes AsyncStorage's manifest. The folder on Apple systems is the one that needs no SQLite to be written. */
    private fun manifest(text: String) {
        val folder = Files.createDirectories(app.resolve("Documents/RCTAsyncLocalStorage_V1"))
        Files.writeString(folder.resolve("manifest.json"), text)
    }

    @Test
    fun `what AsyncStorage left is taken over, and goes when the app says so`() =
        withCore(directory.resolve("core")) { core ->
            manifest(
                """{"theme": "dark", "@safe_scan_history":
                    "[{\"qrData\": \"https://example.com/menu\", \"timestamp\": 1700000000000}]"}""",
            )
            val report = core.importAsyncStorage(source)
            assertEquals(listOf(1u, 1u, 1u), listOf(report.storages, report.scans, report.keyValues))
            assertEquals("dark", core.kvGet("theme"))
            assertEquals(1_700_000_000_000, core.wholeHistory().single().scannedAt)
            assertEquals(report, core.importAsyncStorage(source), "a second time changes nothing")

            assertTrue(report.complete && core.confirmImport())
            assertFalse(Files.exists(app.resolve("Documents/RCTAsyncLocalStorage_V1")))
        }

    @Test
    fun `progress is told`() = withCore(directory.resolve("core")) { core ->
        manifest("""{"theme": "dark"}""")
        core.importAsyncStorage(source)
        val last = core.nextEvents().filterIsInstance<CoreEvent.ImportProgress>().last()
        assertEquals(last.total, last.done)
    }

    @Test
    fun `a manifest that is half written means later`() = withCore(directory.resolve("core")) { core ->
        manifest("""{"theme": "da""")
        val failure = runCatching { core.importAsyncStorage(source) }.exceptionOrNull()
        assertTrue(failure is SafeScanException.StorageUnavailable, "$failure")
        assertEquals(emptyList<String>(), core.kvKeys())
        val refused = runCatching { core.confirmImport() }.exceptionOrNull()
        assertTrue(refused is SafeScanException.InvalidInput, "$refused")
    }
}
