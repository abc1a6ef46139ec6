//! One storage, turned into records in portions: first everything that is an entry of its own, then the documents that
//! held a whole store each.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    super::{
        Context,
        settings::{AUTO_SYNC, NOTIFICATIONS},
    },
    elements::Elements,
    items::{Item, What},
    legacy_hash,
    records::{self, OldCode, OldVote},
};
use crate::{
    error::Result,
    limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES, check_name},
    model::{CodeRef, ImportReport, KvPair, UnixMillis},
    qr,
    storage::foreign::{Document, Origin, Reader},
};

/// The keys of the old stores, each of which is one document.
const HISTORY: &str = "@safe_scan_history";
const VOTES: &str = "@safe_scan_user_votes";
const SETTINGS: &str = "@safe_scan_settings";
const CACHE: &str = "@safe_scan_cache";
const QUEUE: &str = "@safe_scan_sync_queue";
const DOCUMENTS: &[&str] = &[HISTORY, VOTES, SETTINGS, CACHE, QUEUE];

/// Records in one transaction: some milliseconds of work, so that other writes are not held up.
const PORTION: usize = 1_000;

/// What one transaction takes.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) items: Vec<Item>,
    /// What was come across besides.
    pub(super) report: ImportReport,
    /// How much of the storage was gone through by now, in thousandths.
    pub(super) thousandths: u64,
}

pub(super) struct Intake {
    reader: Reader,
    context: Arc<Context>,
    now: UnixMillis,
    prefix: String,
    owner: Option<String>,
    stage: Stage,
    /// Votes and the queue, while the history is read for the sake of the codes that they name.
    waiting: Vec<Walk>,
    /// The codes that votes name by their old hash.
    codes: HashMap<u32, Code>,
    done: u64,
}

/// Which code an old hash means.
enum Code {
    Unknown,
    Text(String),
    /// Two codes of the history have the same.
    Ambiguous,
}

enum Stage {
    Entries,
    Prepare,
    Walk(Walk),
    Settings,
    End,
}

/// A document on its way through.
struct Walk {
    key: &'static str,
    elements: Elements,
    /// Elements that no table has a place for.
    left: Vec<String>,
    /// How far it was counted.
    at: usize,
}

impl Intake {
    pub(super) fn open(
        context: Arc<Context>,
        origin: &Origin,
        scratch: &Path,
        prefix: String,
        owner: Option<String>,
    ) -> Result<Self> {
        let reader = Reader::open(origin, scratch, DOCUMENTS)?;
        let now = context.now();
        let (waiting, codes) = (Vec::new(), HashMap::new());
        Ok(Self { reader, context, now, prefix, owner, stage: Stage::Entries, waiting, codes, done: 0 })
    }

    /// What is known to be lost before anything was read.
    pub(super) fn lost(&self) -> u32 {
        self.reader.lost()
    }

    /// The next portion; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Portion>> {
        let mut portion = Portion::default();
        match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::Entries => {
                self.stage = if self.entries(&mut portion)? { Stage::Entries } else { Stage::Prepare };
            }
            Stage::Prepare => self.prepare(&mut portion)?,
            Stage::Walk(walk) => self.walk(walk, &mut portion)?,
            Stage::Settings => self.settings(&mut portion)?,
            Stage::End => return Ok(None),
        }
        portion.thousandths = (self.done * 1000 / self.reader.total().max(1)).min(1000);
        Ok(Some(portion))
    }

    /// Entries as they are; false at their end.
    fn entries(&mut self, portion: &mut Portion) -> Result<bool> {
        let Some(batch) = self.reader.next()? else { return Ok(false) };
        self.done += batch.bytes;
        let counts = batch.counts;
        portion.report.dropped += counts.nothing;
        portion.report.altered += counts.altered;
        portion.report.refused += counts.refused;
        portion.report.lost += counts.lost;
        for KvPair { key, value } in batch.entries {
            let key = format!("{}{key}", self.prefix);
            if check_name("key", &key, MAX_KEY_BYTES).is_err() {
                portion.report.refused += 1;
                continue;
            }
            portion.items.push(Item::value(KvPair { key, value }));
        }
        Ok(true)
    }

    /// Opens the votes and the queue, notes which codes they name by their old hash, and begins with the history.
    fn prepare(&mut self, portion: &mut Portion) -> Result<()> {
        if !matches!(self.reader.document(CACHE)?, Document::Missing) {
            // What a cache holds can be had again.
            portion.report.dropped += 1;
        }
        let mut users = HashSet::new();
        for key in [QUEUE, VOTES] {
            let Some(mut walk) = self.document(key, portion)? else { continue };
            while let Some(entry) = walk.elements.next() {
                let votes = said(key, entry).into_iter().filter_map(|fields| records::vote(&fields, self.now));
                for OldVote { code, user_id, .. } in votes {
                    if let OldCode::Legacy(hash) = code {
                        self.codes.insert(hash, Code::Unknown);
                    }
                    users.insert(user_id);
                }
            }
            walk.elements.rewind();
            self.waiting.push(walk);
        }
        // The votes of a phone that one person uses are its owner's.
        if self.owner.is_none() && users.len() == 1 {
            self.owner = users.into_iter().next().flatten();
        }
        // The one that was pushed last is taken first.
        let history = self.document(HISTORY, portion)?;
        self.waiting.extend(history);
        self.go_on();
        Ok(())
    }

    fn document(&mut self, key: &'static str, portion: &mut Portion) -> Result<Option<Walk>> {
        Ok(self.text(key, portion)?.map(|text| Walk { key, elements: Elements::of(text), left: Vec::new(), at: 0 }))
    }

    fn text(&mut self, key: &str, portion: &mut Portion) -> Result<Option<String>> {
        match self.reader.document(key)? {
            Document::Text { text, altered } => {
                portion.report.altered += u32::from(altered);
                return Ok(Some(text));
            }
            Document::Missing => {}
            Document::TooLong => portion.report.refused += 1,
            Document::Lost => portion.report.lost += 1,
        }
        Ok(None)
    }

    /// The next document that waits, or the last stage.
    fn go_on(&mut self) {
        self.stage = self.waiting.pop().map_or(Stage::Settings, Stage::Walk);
    }

    /// Some elements of a document.
    fn walk(&mut self, mut walk: Walk, portion: &mut Portion) -> Result<()> {
        while portion.items.len() < PORTION {
            let Some(entry) = walk.elements.next() else {
                self.done += (walk.elements.position() - walk.at) as u64;
                self.leave(walk, portion);
                self.go_on();
                return Ok(());
            };
            let understood = match walk.key {
                HISTORY => self.scan(entry, &mut portion.items),
                VOTES => self.votes(entry, &mut portion.items)?,
                _ => self.operation(entry, &mut portion.items)?,
            };
            if !understood {
                walk.left.push(entry.to_owned());
            }
        }
        self.done += (walk.elements.position() - walk.at) as u64;
        walk.at = walk.elements.position();
        self.stage = Stage::Walk(walk);
        Ok(())
    }

    /// An entry of the history. False if not all of it has a place.
    fn scan(&mut self, entry: &str, items: &mut Vec<Item>) -> bool {
        let Some(fields) = records::object(entry) else { return false };
        let Some((draft, whole)) = records::scan(entry, &fields, self.now) else { return false };
        if !self.codes.is_empty()
            && let Some(code) = self.codes.get_mut(&legacy_hash::of(&draft.text))
        {
            match code {
                Code::Unknown => *code = Code::Text(draft.text.clone()),
                Code::Text(text) if qr::hash_text(text) == draft.qr_hash => {}
                Code::Text(_) | Code::Ambiguous => *code = Code::Ambiguous,
            }
        }
        items.push(Item::new("scan", &[entry], What::Scan(draft)));
        whole
    }

    /// An entry of the votes.
    fn votes(&self, entry: &str, items: &mut Vec<Item>) -> Result<bool> {
        match records::object(entry).and_then(|fields| records::vote(&fields, self.now)) {
            Some(vote) => self.vote(vote, entry, items),
            None => Ok(false),
        }
    }

    /// A vote; false if it names no code that is known here, or one that is not voted on.
    fn vote(&self, vote: OldVote, entry: &str, items: &mut Vec<Item>) -> Result<bool> {
        let code = match vote.code {
            OldCode::Full(qr_hash) => CodeRef::Hash { qr_hash },
            OldCode::Legacy(hash) => match self.codes.get(&hash) {
                Some(Code::Text(text)) => CodeRef::text(text),
                _ => return Ok(false),
            },
        };
        let Ok(subject) = self.context.subject(&code)? else { return Ok(false) };
        let user_id = vote.user_id.filter(|user_id| self.owner.as_ref() != Some(user_id));
        let names = self.context.names(user_id.as_deref())?;
        let what = What::Vote { subject, names, choice: vote.choice, at: vote.at };
        items.push(Item::new("vote", &[entry], what));
        Ok(true)
    }

    /// An entry of the queue: votes and scans that it holds still mean something, whatever was to be done with them. What
    /// is queued for a server follows from what is stored here.
    fn operation(&mut self, entry: &str, items: &mut Vec<Item>) -> Result<bool> {
        let all = said(QUEUE, entry);
        let mut understood = !all.is_empty();
        for fields in all {
            let text = Value::Object(fields.clone()).to_string();
            let one = match records::vote(&fields, self.now) {
                Some(vote) => self.vote(vote, &text, items)?,
                // What merely mentions a code may want anything of it.
                None => fields.get("queuedAt").is_none() && self.scan(&text, items),
            };
            understood &= one;
        }
        Ok(understood)
    }

    fn settings(&mut self, portion: &mut Portion) -> Result<()> {
        let Some(text) = self.text(SETTINGS, portion)? else { return Ok(()) };
        self.done += text.len() as u64;
        let Some(mut fields) = records::object(&text) else {
            self.leave_over(SETTINGS, text, 1, portion);
            return Ok(());
        };
        for name in [NOTIFICATIONS, AUTO_SYNC] {
            if let Some(value) = fields.get(name).and_then(Value::as_bool) {
                fields.remove(name);
                let what = What::Setting { name, value };
                portion.items.push(Item::new("setting", &[name, &value.to_string()], what));
            }
        }
        if !fields.is_empty() {
            let entries = u32::try_from(fields.len()).unwrap_or(u32::MAX);
            self.leave_over(SETTINGS, Value::Object(fields).to_string(), entries, portion);
        }
        Ok(())
    }

    /// Keeps what no table had a place for: of a document that is whole those elements, of another one all of it.
    fn leave(&self, walk: Walk, portion: &mut Portion) {
        let Walk { key, elements, left, .. } = walk;
        if !elements.is_whole() {
            self.leave_over(key, elements.into_text(), 1, portion);
        } else if !left.is_empty() {
            let entries = u32::try_from(left.len()).unwrap_or(u32::MAX);
            self.leave_over(key, format!("[{}]", left.join(",")), entries, portion);
        }
    }

    fn leave_over(&self, key: &str, value: String, entries: u32, portion: &mut Portion) {
        let pair = KvPair { key: format!("{}{key}", self.prefix), value };
        if pair.value.len() > MAX_VALUE_BYTES || check_name("key", &pair.key, MAX_KEY_BYTES).is_err() {
            portion.report.refused += entries;
            return;
        }
        portion.items.push(Item::left_over(pair, entries, key == VOTES));
    }
}

/// The objects in which an entry may say something: itself, or, in the queue, what it carries.
fn said(key: &str, entry: &str) -> Vec<Map<String, Value>> {
    /// Fields in which an operation carries what it is about.
    const CARRIED: [&str; 4] = ["data", "vote", "scan", "payload"];
    /// Words for what takes something away: what such an operation carries must not be brought back by it.
    const UNDOING: [&str; 4] = ["delete", "remove", "retract", "clear"];
    let Some(mut fields) = records::object(entry) else { return Vec::new() };
    let word = ["operation", "type", "action"].iter().find_map(|name| fields.get(*name)?.as_str()).unwrap_or_default();
    if key == QUEUE && UNDOING.iter().any(|undoing| word.to_ascii_lowercase().contains(undoing)) {
        return Vec::new();
    }
    let carried = CARRIED.iter().find(|name| matches!(fields.get(**name), Some(Value::Object(_) | Value::Array(_))));
    match carried.filter(|_| key == QUEUE).and_then(|name| fields.remove(*name)) {
        Some(Value::Object(one)) => vec![one],
        Some(Value::Array(all)) => {
            let objects: Option<Vec<_>> =
                all.into_iter().map(|it| if let Value::Object(one) = it { Some(one) } else { None }).collect();
            objects.unwrap_or_default()
        }
        _ => vec![fields],
    }
}
