//! The scan history's rows.

use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::{
    columns::{Checksum, Columns, Record},
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::{
    error::{Error, Problem, Result},
    model::{QrHash, QrKind, Scan, ScanId, StoreName, UnixMillis, Verdict},
};

/// What a row is booked with beside its texts: hash, index entries, b-tree cells.
pub(crate) const ROW_OVERHEAD: i64 = 96;
/// Rows a page looks at, at the most: some ten milliseconds on a phone.
const EXAMINED: u32 = 20_000;
/// The greatest sequence number within a millisecond.
const LAST_SEQUENCE: i64 = (1 << ScanId::SEQUENCE_BITS) - 1;

/// A scan about to be stored.
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) kind: QrKind,
    pub(crate) verdict: Verdict,
    pub(crate) scanned_at: UnixMillis,
    pub(crate) qr_hash: QrHash,
    pub(crate) metadata: Option<String>,
}

/// Which rows a page wants.
pub(crate) struct Wanted {
    pub(crate) limit: u32,
    /// Only ids below this one.
    pub(crate) below: i64,
    /// Only ids from this one on.
    pub(crate) from: i64,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) kind: Option<QrKind>,
    pub(crate) text: Option<String>,
}

/// What a page found.
pub(crate) struct Found {
    pub(crate) scans: Vec<Scan>,
    /// Where to go on; `None` at the end.
    pub(crate) next_below: Option<i64>,
    pub(crate) withheld: u32,
}

impl Record for Scan {
    const TABLE: &'static str = "scans";
    const COLUMNS: &'static str = "id, text, kind, verdict, hash, metadata, pending, checksum";

    fn read(row: &impl Columns) -> Option<Self> {
        let id = row.int(0)?;
        let scan = Self {
            id: ScanId(id),
            text: row.text(1)?.to_owned(),
            kind: kind_of(row.int(2)?)?,
            verdict: verdict_of(row.int(3)?)?,
            scanned_at: scanned_at(id),
            qr_hash: QrHash(row.bytes(4)?),
            metadata: row.optional(5, Columns::text)?.map(str::to_owned),
        };
        (row.int(7)? == checksum(&scan)).then_some(scan)
    }

    fn row_id(&self) -> i64 {
        self.id.0
    }
}

impl Transaction<'_> {
    /// Stores a scan under the next id of its millisecond.
    pub(crate) fn insert_scan(&mut self, draft: Draft) -> Result<Scan> {
        let id = self.next_scan_id(draft.scanned_at)?;
        let Draft { text, kind, verdict, qr_hash, metadata, .. } = draft;
        // Read off the id: a clock that stands outside the times an id can hold is moved to the nearest of them.
        let scan = Scan { id: ScanId(id), text, kind, verdict, scanned_at: scanned_at(id), qr_hash, metadata };
        self.put_scan(&scan)?;
        self.state.latest_scan = self.state.latest_scan.max(Some(id));
        Ok(scan)
    }

    /// Stores a scan as it is.
    pub(crate) fn put_scan(&mut self, scan: &Scan) -> Result<()> {
        self.book(StoreName::Scans, 1, size(scan))?;
        self.connection
            .prepare_cached(
                "INSERT INTO scans (id, text, kind, verdict, hash, metadata, pending, checksum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    scan.id.0,
                    scan.text,
                    kind_code(scan.kind),
                    verdict_code(scan.verdict),
                    scan.qr_hash.0,
                    scan.metadata,
                    checksum(scan),
                ])
            })
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Says whether an operation of the scan waits. Not part of the checksum: it is bookkeeping, and changes often.
    pub(crate) fn mark_scan(&mut self, id: ScanId, pending: bool) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE scans SET pending = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute(params![id.0, pending]))
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Deletes a scan, whole or damaged; false if there is none.
    pub(crate) fn delete_scan(&mut self, id: ScanId) -> Result<bool> {
        let content: Option<i64> = self
            .connection
            .prepare_cached("SELECT octet_length(text) + ifnull(octet_length(metadata), 0) FROM scans WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([id.0], |row| row.get(0)).optional())
            .doing(during::READING)?;
        let Some(content) = content else { return Ok(false) };
        self.connection
            .prepare_cached("DELETE FROM scans WHERE id = ?1")
            .and_then(|mut statement| statement.execute([id.0]))
            .doing(during::WRITING)?;
        self.state.counters.grow(StoreName::Scans, -1, -(content + ROW_OVERHEAD));
        Ok(true)
    }

    /// Up to `limit` ids below `end`, from the oldest on.
    pub(crate) fn scans_below(&self, end: ScanId, limit: u32) -> Result<Vec<ScanId>> {
        self.ids("SELECT id FROM scans WHERE id < ?1 ORDER BY id LIMIT ?2", end, limit)
    }

    /// The same, without those of which an operation waits.
    pub(crate) fn settled_scans_below(&self, end: ScanId, limit: u32) -> Result<Vec<ScanId>> {
        self.ids("SELECT id FROM scans WHERE id < ?1 AND pending = 0 ORDER BY id LIMIT ?2", end, limit)
    }

    fn ids(&self, sql: &str, end: ScanId, limit: u32) -> Result<Vec<ScanId>> {
        let mut statement = self.connection.prepare_cached(sql).doing(during::READING)?;
        let rows = statement.query_map(params![end.0, limit], |row| row.get(0).map(ScanId)).doing(during::READING)?;
        rows.map(|row| row.doing(during::READING)).collect()
    }

    /// Ids grow with time, and within a millisecond with the order of storing.
    fn next_scan_id(&mut self, at: UnixMillis) -> Result<i64> {
        let first = first_id(at);
        let last = first | LAST_SEQUENCE;
        let latest = match self.state.latest_scan {
            Some(latest) => Some(latest),
            None => max_id(self.connection, 0, i64::MAX)?,
        };
        self.state.latest_scan = latest;
        let before = match latest {
            Some(latest) if latest >= first => max_id(self.connection, first, last)?,
            _ => None,
        };
        match before {
            // Two devices of one account are told apart by where they begin; half of the numbers are left to go on.
            None => Ok(first | (i64::from(u32::from_le_bytes(self.random())) & (LAST_SEQUENCE >> 1))),
            Some(before) if before < last => Ok(before + 1),
            Some(_) => Err(Error::invalid("scanned_at", Problem::Is("is the time of too many scans already"))),
        }
    }
}

/// The scan with this id, if it is there: `Err` within if it is damaged.
pub(crate) fn find(connection: &Connection, id: ScanId) -> Result<Option<Result<Scan, ()>>> {
    connection
        .prepare_cached("SELECT id, text, kind, verdict, hash, metadata, pending, checksum FROM scans WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([id.0], |row| Ok(Scan::read(row).ok_or(()))).optional())
        .doing(during::READING)
}

/// Whether this code was scanned at this moment. Looks at a few scans of the moment: more than anybody can make.
pub(crate) fn is_there(connection: &Connection, at: UnixMillis, text: &str) -> Result<bool> {
    const LOOKED_AT: u32 = 64;
    let first = first_id(at);
    connection
        .prepare_cached("SELECT 1 FROM (SELECT text FROM scans WHERE id BETWEEN ?1 AND ?2 LIMIT ?3) WHERE text = ?4")
        .and_then(|mut statement| statement.exists(params![first, first | LAST_SEQUENCE, LOOKED_AT, text]))
        .doing(during::READING)
}

/// A page, newest first. Looks at [`EXAMINED`] rows at the most, so that a search for what is not there comes back.
pub(crate) fn page(connection: &Connection, wanted: &Wanted) -> Result<Found> {
    let verdict = wanted.verdict.map(verdict_code);
    let kind = wanted.kind.map(kind_code);
    let mut conditions = String::new();
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":below", &wanted.below), (":from", &wanted.from)];
    if let Some(verdict) = &verdict {
        conditions += " AND verdict = :verdict";
        values.push((":verdict", verdict));
    }
    if let Some(kind) = &kind {
        conditions += " AND kind = :kind";
        values.push((":kind", kind));
    }
    // A condition that rows may fail is checked here and not by SQLite, which would go on for as long as it takes.
    let needle = wanted.text.as_ref().map(|text| text.to_ascii_lowercase());
    let sql =
        format!("SELECT {} FROM scans WHERE id < :below AND id >= :from{conditions} ORDER BY id DESC", Scan::COLUMNS);
    let mut statement = connection.prepare_cached(&sql).doing(during::READING)?;
    let mut rows = statement.query(values.as_slice()).doing(during::READING)?;
    let mut found = Found { scans: Vec::new(), next_below: None, withheld: 0 };
    let mut examined = 0;
    while let Some(row) = rows.next().doing(during::READING)? {
        let id: i64 = row.get(0).doing(during::READING)?;
        if found.scans.len() >= wanted.limit as usize || examined >= EXAMINED {
            // There is more: the next page begins with this row.
            found.next_below = Some(id.saturating_add(1));
            break;
        }
        examined += 1;
        match Scan::read(row) {
            Some(scan) if needle.as_ref().is_none_or(|needle| contains(&scan.text, needle)) => found.scans.push(scan),
            Some(_) => {}
            None => found.withheld += 1,
        }
    }
    Ok(found)
}

/// An id above every scan there is.
pub(crate) fn end(connection: &Connection) -> Result<ScanId> {
    Ok(ScanId(max_id(connection, 0, i64::MAX)?.map_or(0, |id| id.saturating_add(1))))
}

/// The first id of a moment.
pub(crate) fn first_id(at: UnixMillis) -> i64 {
    let greatest = i64::MAX >> ScanId::SEQUENCE_BITS;
    at.0.clamp(0, greatest) << ScanId::SEQUENCE_BITS
}

/// What a row is booked with.
pub(crate) fn size(scan: &Scan) -> i64 {
    let content = scan.text.len() + scan.metadata.as_ref().map_or(0, String::len);
    i64::try_from(content).unwrap_or(i64::MAX / 2) + ROW_OVERHEAD
}

/// The moment of an id.
pub(crate) fn scanned_at(id: i64) -> UnixMillis {
    UnixMillis(id >> ScanId::SEQUENCE_BITS)
}

fn max_id(connection: &Connection, from: i64, to: i64) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT max(id) FROM scans WHERE id BETWEEN ?1 AND ?2")
        .and_then(|mut statement| statement.query_row([from, to], |row| row.get(0)))
        .doing(during::READING)
}

fn contains(text: &str, lowercase_needle: &str) -> bool {
    text.contains(lowercase_needle) || text.to_ascii_lowercase().contains(lowercase_needle)
}

fn checksum(scan: &Scan) -> i64 {
    Checksum::of(Scan::TABLE)
        .int(scan.id.0)
        .text(&scan.text)
        .int(kind_code(scan.kind))
        .int(verdict_code(scan.verdict))
        .blob(&scan.qr_hash.0)
        .optional(scan.metadata.as_deref(), Checksum::text)
        .finish()
}

/// Codes of kinds, as stored: a place in this list, which only grows.
const KINDS: [QrKind; 13] = [
    QrKind::WebLink,
    QrKind::AppLink,
    QrKind::Wifi,
    QrKind::Contact,
    QrKind::Otp,
    QrKind::Email,
    QrKind::Sms,
    QrKind::Phone,
    QrKind::Location,
    QrKind::Calendar,
    QrKind::Payment,
    QrKind::Product,
    QrKind::Text,
];

const VERDICTS: [Verdict; 4] = [Verdict::Unknown, Verdict::Safe, Verdict::Suspicious, Verdict::Unsafe];

fn kind_code(kind: QrKind) -> i64 {
    code_in(&KINDS, &kind)
}

fn kind_of(code: i64) -> Option<QrKind> {
    KINDS.get(usize::try_from(code).ok()?).copied()
}

fn verdict_code(verdict: Verdict) -> i64 {
    code_in(&VERDICTS, &verdict)
}

fn verdict_of(code: i64) -> Option<Verdict> {
    VERDICTS.get(usize::try_from(code).ok()?).copied()
}

/// A value's place in the list of its kind's codes.
pub(crate) fn code_in<T: PartialEq>(codes: &[T], value: &T) -> i64 {
    let place = codes.iter().position(|candidate| candidate == value).expect("the list names every value");
    i64::try_from(place).expect("the lists are short")
}
