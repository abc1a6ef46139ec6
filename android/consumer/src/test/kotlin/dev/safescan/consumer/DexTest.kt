package dev.safescan.consumer

import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

class DexTest {
    @Test
    fun `the package's classes suit the oldest Android`() = assertNull(dex(outputFor("dex")))
}
