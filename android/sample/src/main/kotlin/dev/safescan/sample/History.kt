package dev.safescan.sample

import android.app.Activity
import android.content.res.ColorStateList
import android.text.format.DateUtils
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.ImageView
import android.widget.TextView
import dev.safescan.core.CodeRef
import dev.safescan.core.CoreEvent
import dev.safescan.core.Rating
import dev.safescan.core.SafeScan
import dev.safescan.core.Scan
import dev.safescan.core.ScanQuery
import dev.safescan.core.UnixMillis
import dev.safescan.core.events
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onStart

/** A scan, and what people say of its code. */
internal class Row(val scan: Scan, val rating: Rating)

/** The latest fifty scans: now, and again whenever that changes. Of changes in quick succession the latest is shown. */
internal val SafeScan.history: Flow<List<Row>>
    get() = events.filter { it.concernsHistory }.map { }.onStart { emit(Unit) }.conflate().map {
        val scans = scanHistory(ScanQuery()).scans
        scans.zip(ratings(scans.map { CodeRef(it.text) }), ::Row)
    }

private val CoreEvent.concernsHistory: Boolean
    get() = when (this) {
        is CoreEvent.ScansAdded, is CoreEvent.ScansRemoved, is CoreEvent.ScansEvicted, is CoreEvent.RatingChanged -> true
        is CoreEvent.Missed, is CoreEvent.Repaired, CoreEvent.Erased -> true
        else -> false
    }

internal class HistoryAdapter(private val activity: Activity) : BaseAdapter() {
    private var rows = emptyList<Row>()

    fun show(rows: List<Row>) {
        this.rows = rows
        notifyDataSetChanged()
    }

    override fun getCount(): Int = rows.size
    override fun getItem(position: Int): Row = rows[position]
    override fun getItemId(position: Int): Long = position.toLong()

    override fun getView(position: Int, convertView: View?, parent: ViewGroup): View {
        val row = convertView ?: activity.layoutInflater.inflate(R.layout.scan, parent, false)
        val (scan, rating) = getItem(position).run { scan to rating }
        row.view<TextView>(R.id.row_text).text = scan.text
        row.view<TextView>(R.id.row_about).text =
            activity.getString(R.string.row, activity.getString(scan.kind.words), age(scan.scannedAt))
        row.view<ImageView>(R.id.row_assessment).run {
            imageTintList = ColorStateList.valueOf(activity.getColor(rating.assessment.colour))
            contentDescription = activity.getString(rating.assessment.words)
        }
        return row
    }

    private fun age(time: UnixMillis): CharSequence {
        val now = System.currentTimeMillis()
        if (now - time < DateUtils.MINUTE_IN_MILLIS) return activity.getString(R.string.just_now)
        return DateUtils.getRelativeTimeSpanString(time, now, DateUtils.MINUTE_IN_MILLIS)
    }
}
