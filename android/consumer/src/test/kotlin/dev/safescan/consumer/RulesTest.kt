package dev.safescan.consumer

import kotlin.io.path.fileSize
import kotlin.io.path.listDirectoryEntries
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** The rules that the AAR brings are all that an app needs, and an app needs all of them. */
class RulesTest {
    private val groups = Files.aar.resolve("proguard.txt").readText().split("\n\n")
        .map { group -> group.lines().filter { it.isNotBlank() && !it.startsWith("#") } }
        .filter { it.isNotEmpty() }
    private val rules = groups.flatten()

    @Test
    fun `a shrunk app works`() = assertNull(runShrunk(rules, outputFor("shrunk")))

    @Test
    fun `a shrunk app for devices builds without warnings`() = assertNull(shrinkForDevices(rules, outputFor("devices")))

    @TestFactory
    fun `an app fails without`(): List<DynamicTest> = rules.map { rule ->
        dynamicTest(rule) {
            val left = rules - rule
            assertEquals(rules.size - 1, left.size)
            val problem = runShrunk(left, outputFor("without")) ?: shrinkForDevices(left, outputFor("without-for-devices"))
            assertNotNull(problem, "this rule is not needed")
            println("without $rule: ${problem!!.lines().first { it.isNotBlank() }}")
        }
    }
}
