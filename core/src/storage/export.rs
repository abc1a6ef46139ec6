//! Everything as JSON Lines: one object a line, in a form that outlives this library.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{
    columns::Record,
    fault::{Sql, during},
    integrity, key_value, outbox, settings, votes,
};
use crate::{
    error::{Error, Problem, Result},
    model::{ByteCount, ExportReport, Scan, UnixMillis, VoteChoice},
};

/// The form of the lines; a reader checks it before anything else.
const FORMAT: u32 = 1;
const WHILE: &str = "writing the export";

/// Writes everything to a new file, as of one moment. A file cut short by an error is removed.
pub(crate) fn write(connection: &Connection, path: &Path, now: UnixMillis) -> Result<ExportReport> {
    let file = File::create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::invalid("path", Problem::Is("names a file that exists")),
        std::io::ErrorKind::NotFound => Error::invalid("path", Problem::Is("lies in a folder that does not exist")),
        _ => Error::io(&error, WHILE),
    })?;
    let written = Lines::new(file).and_then(|lines| lines.write_all(connection, now));
    if written.is_err() {
        fs::remove_file(path).ok();
    }
    written
}

struct Lines {
    out: BufWriter<File>,
    report: ExportReport,
    failed: Option<std::io::Error>,
}

impl Lines {
    #[expect(clippy::unnecessary_wraps, reason = "chained with what can fail")]
    fn new(file: File) -> Result<Self> {
        let report = ExportReport { records: 0, written: ByteCount(0), withheld: 0 };
        Ok(Self { out: BufWriter::new(file), report, failed: None })
    }

    fn write_all(mut self, connection: &Connection, now: UnixMillis) -> Result<ExportReport> {
        let tx = connection.unchecked_transaction().doing(during::BEGINNING)?;
        self.line(&json!({ "type": "safescan-export", "format": FORMAT, "exportedAt": now.0 }));
        self.each::<Scan>(&tx, scan)?;
        self.each::<votes::Register>(&tx, vote)?;
        self.each::<settings::Setting>(&tx, setting)?;
        self.each::<key_value::Entry>(&tx, |entry| {
            Some(json!({ "type": "keyValue", "key": entry.pair.key, "value": entry.pair.value }))
        })?;
        self.each::<outbox::Entry>(&tx, operation)?;
        let Self { mut out, mut report, failed } = self;
        let flushed = failed.map_or_else(|| out.flush(), Err).and_then(|()| out.get_ref().sync_all());
        flushed.map_err(|error| Error::io(&error, WHILE))?;
        // The first line is about the export and not a record.
        report.records = report.records.saturating_sub(1);
        Ok(report)
    }

    fn each<R: Record>(&mut self, connection: &Connection, show: impl Fn(&R) -> Option<Value>) -> Result<()> {
        integrity::each::<R>(connection, |_, record| match record {
            Some(record) => {
                if let Some(value) = show(&record) {
                    self.line(&value);
                }
            }
            None => self.report.withheld += 1,
        })
    }

    fn line(&mut self, value: &Value) {
        let line = format!("{value}\n");
        if self.failed.is_none() {
            self.failed = self.out.write_all(line.as_bytes()).err();
        }
        self.report.records += 1;
        self.report.written.0 += i64::try_from(line.len()).unwrap_or_default();
    }
}

fn scan(scan: &Scan) -> Option<Value> {
    Some(json!({
        "type": "scan",
        "id": scan.id.to_string(),
        "text": scan.text,
        "kind": format!("{:?}", scan.kind),
        "verdict": format!("{:?}", scan.verdict),
        "scannedAt": scan.scanned_at.0,
        "metadata": scan.metadata,
    }))
}

/// Own standing votes; what follows from them is not written.
fn vote(register: &votes::Register) -> Option<Value> {
    let choice = register.choice.filter(|_| !register.derived)?;
    Some(json!({
        "type": "vote",
        "qrHash": register.hash.to_string(),
        "vote": if choice == VoteChoice::Safe { "safe" } else { "unsafe" },
        "votedAt": register.at.0,
        "voter": register.person.to_string(),
    }))
}

fn setting(setting: &settings::Setting) -> Option<Value> {
    let value: Value = serde_json::from_str(&setting.value).ok()?;
    Some(json!({ "type": "setting", "name": setting.name, "value": value, "changedAt": setting.at.0 }))
}

fn operation(entry: &outbox::Entry) -> Option<Value> {
    let body: Value = serde_json::from_str(&entry.body).ok()?;
    Some(json!({
        "type": "operation",
        "id": entry.operation.id.to_string(),
        "kind": format!("{:?}", entry.operation.kind),
        "key": entry.key,
        "createdAt": entry.operation.created_at.0,
        "body": body,
    }))
}
