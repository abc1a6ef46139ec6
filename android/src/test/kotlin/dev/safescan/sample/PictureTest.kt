package dev.safescan.sample

import android.graphics.Bitmap
import android.graphics.Canvas
import android.widget.ImageView
import dev.safescan.android.TestServer
import dev.safescan.core.CodeRef
import dev.safescan.core.NewVote
import dev.safescan.core.SafeScan
import dev.safescan.core.VoteChoice
import dev.safescan.core.operations
import dev.safescan.core.recordScan
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.flow.first
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.annotation.Config

/** The documentation's picture of the sample, drawn by Android's own graphics: `android-sample.png` in the build folder. */
@Config(sdk = [35], qualifiers = "w360dp-h640dp-hdpi")
class PictureTest : SampleTest() {
    private class Invented(
        val text: String,
        val age: Duration,
        val safe: Int = 0,
        val unsafe: Int = 0,
        val rating: String = "Too few votes",
    )

    // From the oldest to the newest.
    private val codes = listOf(
        Invented("geo:48.2,16.4", 6.days),
        Invented("https://free-phone.example/win", 5.days, safe = 1, unsafe = 9, rating = "Unsafe"),
        Invented("https://example.org/parking", 2.days, safe = 8, unsafe = 7, rating = "Disputed"),
        Invented("https://museum.example/tour/7", 5.hours, safe = 11, rating = "Safe"),
        Invented("https://cafe.example/menu", 1.hours, safe = 12, unsafe = 1, rating = "Safe"),
    )

    @Test
    fun `a picture of the screen, amid the day of a person who is offline`() = sampleTest {
        TestServer().use { server ->
            configure(server)
            withOtherPhone(server) { other -> codes.forEach { other.vote(it) } }
            val now = System.currentTimeMillis()
            val core = (app as TestScannerApp).safeScan()
            codes.forEach { core.recordScan(it.text, scannedAt = now - it.age.inWholeMilliseconds) }
            withScreen {
                until { history.count == codes.size }
                for (code in codes) {
                    choose(code.text)
                    untilSaid(R.id.scanned_text to code.text, R.id.assessment to code.rating)
                }
                network(present = false)
                untilSaid(R.id.banner to "Offline")
                tap(R.id.vote_safe)
                untilSaid(R.id.banner to "Offline · 1 change waits", R.id.votes to "13 of 14 people say safe")
                until { history.childCount > 2 && rowRatings() == codes.reversed().map { it.rating }.take(history.childCount) }
                assertEquals(listOf("https://cafe.example/menu", "Web link · 1 hour ago"), row(0))
                picture(File(System.getProperty("safescan.pictures"), "android-sample.png"))
            }
        }
    }

    private suspend fun SafeScan.vote(code: Invented) {
        val votes = List(code.safe) { VoteChoice.SAFE } + List(code.unsafe) { VoteChoice.UNSAFE }
        val ofPeople = votes.mapIndexed { index, choice -> NewVote(CodeRef(code.text), choice, userId = "person $index") }
        if (ofPeople.isNotEmpty()) submitVotes(ofPeople)
        operations.first { it.isEmpty() }
    }

    private fun TestScreen.rowRatings(): List<String> =
        (0 until history.childCount).map {
            history.getChildAt(it).findViewById<ImageView>(R.id.row_assessment)?.contentDescription.toString()
        }

    private fun TestScreen.picture(file: File) {
        val view = activity.window.decorView
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.RGB_565)
        view.draw(Canvas(bitmap))
        assertTrue(file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) })
    }
}
