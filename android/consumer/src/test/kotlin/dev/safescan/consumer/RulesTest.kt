package dev.safescan.consumer

import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.readBytes
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** The rules that the AAR brings are all that an app needs, and an app needs all of them. */
class RulesTest {
    @TempDir
    lateinit var output: Path

    private val rules = Files.aar.resolve("proguard.txt").readLines().filter { it.startsWith("-") }

    @Test
    fun `a shrunk app works`() = assertNull(runShrunk(rules, output))

    @Test
    fun `a shrunk app for devices has what the core and JNA look for`() {
        assertNull(shrinkForDevices(rules, output))
        val dex = String(output.resolve("classes.dex").readBytes(), Charsets.ISO_8859_1)
        val names = listOf(
            "uniffi_safescan_core_fn_method_safescan_record_scan", "error_buf", "Lcom/sun/jna/Native;",
            "Ldev/safescan/android/SafeScanInitializer;", "Ldev/safescan/android/SafeScanJobService;",
        )
        assertEquals(names, names.filter { it in dex })
        // What nothing calls is gone, and so are the names of what has no reason to keep them.
        assertFalse("uniffi_safescan_core_fn_method_safescan_kv_merge" in dex)
        assertFalse("Ldev/safescan/core/SafeScanConfig;" in dex)
    }

    @TestFactory
    fun `an app fails without`(): List<DynamicTest> = rules.map { rule ->
        dynamicTest(rule) {
            val left = rules - rule
            assertEquals(rules.size - 1, left.size)
            val here = output.resolve("${rules.indexOf(rule)}").createDirectory()
            val problem = runShrunk(left, here) ?: shrinkForDevices(left, here)
            assertNotNull(problem, "this rule is not needed")
        }
    }
}
