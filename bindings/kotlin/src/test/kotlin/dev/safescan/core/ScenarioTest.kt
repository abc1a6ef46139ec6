package dev.safescan.core

import dev.safescan.core.scenarios.Scenario
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

class ScenarioTest {
    @TempDir
    lateinit var directory: Path

    @TestFactory
    fun `the scenarios that every language runs`(): List<DynamicTest> {
        val files = Path(System.getProperty("safescan.scenarios")).listDirectoryEntries("*.json").sorted()
        assertTrue(files.isNotEmpty(), "there are no scenarios")
        return files.map { file ->
            val scenario = Json.parseToJsonElement(file.readText()).jsonObject
            DynamicTest.dynamicTest("${file.name}: ${scenario["name"]?.jsonPrimitive?.content}") {
                runBlocking(Dispatchers.Default) { Scenario(scenario, directory.resolve(file.nameWithoutExtension)).run() }
            }
        }
    }
}
