package dev.safescan.consumer

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class DexTest {
    @TempDir
    lateinit var output: Path

    @Test
    fun `the package's classes suit the oldest Android`() = assertNull(dex(output))
}
