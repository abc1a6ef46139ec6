package dev.safescan.examples

import java.io.ByteArrayOutputStream
import java.io.File
import java.io.PrintStream
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class QuickstartTest {
    @TempDir
    lateinit var directory: File

    @Test
    fun `the README's example prints what the README says`() {
        val printed = ByteArrayOutputStream()
        val console = System.out
        System.setOut(PrintStream(printed))
        try {
            runBlocking { quickstart(directory).shutdown() }
        } finally {
            System.setOut(console)
        }
        assertEquals("INSUFFICIENT: 1 safe, 0 unsafe", printed.toString().trim())
    }
}
