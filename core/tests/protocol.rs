//! The golden files of `docs/protocol/golden`: what is valid is read and written back to the same value, what is not is
//! refused, and every variant of every message occurs. The same files judge the server, and any other implementation.
#![cfg(feature = "protocol")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{collections::BTreeSet, fs, path::Path};

use safescan_core::protocol::{
    Change, ClientFrame, Conflict, Operation, OperationResult, Outcome, Problem, Rating, RatingsResponse,
    RetractionBody, ScanBody, ServerFrame, SettingBody, SyncRequest, SyncResponse, VoteBody, codes, kind_named, read,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// A file: cases of one message. `docs/protocol/golden/README.md` describes the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    message: String,
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    valid: bool,
    #[serde(rename = "why")]
    _why: Option<String>,
    json: Option<Box<RawValue>>,
    text: Option<String>,
    canonical: Option<Value>,
    #[serde(default = "yes")]
    rewritten: bool,
    variant: Option<String>,
    tally: Option<bool>,
    kind: Option<Value>,
    code: Option<String>,
    #[serde(rename = "answer")]
    _answer: Option<Value>,
    #[serde(rename = "result")]
    _result: Option<Value>,
}

fn yes() -> bool {
    true
}

impl Case {
    /// What goes over the wire.
    fn text(&self) -> &str {
        match (&self.json, &self.text) {
            (Some(json), None) => json.get(),
            (None, Some(text)) => text,
            _ => panic!("{}: either `json` or `text`", self.name),
        }
    }

    /// Reads the case, or shows that it cannot be read.
    fn read<T: DeserializeOwned + Serialize>(&self) -> Option<T> {
        let message = match (read::<T>(self.text().as_bytes()), self.valid) {
            (Err(_), false) => return None,
            (Ok(message), true) => message,
            (Err(error), true) => panic!("{}: {error}", self.name),
            (Ok(_), false) => panic!("{}: must be refused", self.name),
        };
        let written = serde_json::to_string(&message).unwrap();
        if self.rewritten {
            let same = || serde_json::from_str(self.text()).unwrap();
            let written: Value = serde_json::from_str(&written).unwrap();
            assert_eq!(written, self.canonical.clone().unwrap_or_else(same), "{}", self.name);
        }
        let again: T = read(written.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), written, "{}: once more", self.name);
        Some(message)
    }
}

fn golden() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol/golden");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let parse = |path| serde_json::from_str(&fs::read_to_string(path).unwrap());
    files.iter().map(|path| parse(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

/// Which variant it is. Whoever adds one must name it here, in [`VARIANTS`], and in a golden file.
trait Variant {
    fn variant(&self) -> &'static str;
}

macro_rules! variants {
    ($($type:ident { $($variant:ident),* })*) => {
        $(impl Variant for $type {
            fn variant(&self) -> &'static str {
                match self { $($type::$variant { .. } => stringify!($variant)),* }
            }
        })*

        const VARIANTS: &[(&str, &[&str])] = &[$((stringify!($type), &[$(stringify!($variant)),*])),*];
    };
}

variants! {
    Outcome { Applied, Duplicate, Superseded, Rejected, Deferred, Unknown }
    Change { Rating, Vote, Scan, ScanDeleted, Setting, Unknown }
    ClientFrame { Hello, Sub, Unsub, Ack, Ping }
    ServerFrame {
        Welcome, Resumed, Reset, SubOk, SubErr, UnsubOk, Rating, Changed, Pong, Bye, Error, Unknown
    }
}

#[test]
fn golden_files_are_read_and_written_back() {
    let files = golden();
    let cases: usize = files.iter().map(|file| file.cases.len()).sum();
    assert!(files.len() >= 15 && cases >= 350, "only {cases} cases in {} files", files.len());
    let mut seen = BTreeSet::new();
    for file in &files {
        let mut names = BTreeSet::new();
        for case in &file.cases {
            assert!(names.insert(&case.name), "{}: {} occurs twice", file.message, case.name);
            check(&file.message, case, &mut seen);
        }
        assert!(file.cases.iter().any(|case| case.valid) && file.cases.iter().any(|case| !case.valid));
    }
    for (message, variants) in VARIANTS {
        for variant in *variants {
            assert!(seen.contains(&(*message, *variant)), "no golden file holds {message}::{variant}");
        }
    }
}

fn check(message: &str, case: &Case, seen: &mut BTreeSet<(&'static str, &'static str)>) {
    let mut note = |message, variant: &'static str| {
        assert_eq!(case.variant.as_deref(), Some(variant), "{}", case.name);
        seen.insert((message, variant));
    };
    match message {
        "SyncRequest" => drop(case.read::<SyncRequest>()),
        "SyncResponse" => drop(case.read::<SyncResponse>()),
        "Conflict" => drop(case.read::<Conflict>()),
        "RatingsResponse" => drop(case.read::<RatingsResponse>()),
        "VoteBody" => drop(case.read::<VoteBody>()),
        "RetractionBody" => drop(case.read::<RetractionBody>()),
        "ScanBody" => drop(case.read::<ScanBody>()),
        "SettingBody" => drop(case.read::<SettingBody>()),
        "OperationResult" => {
            if let Some(result) = case.read::<OperationResult>() {
                note("Outcome", result.outcome.variant());
            }
        }
        "Change" => {
            if let Some(change) = case.read::<Change>() {
                note("Change", change.variant());
            }
        }
        "ClientFrame" => {
            if let Some(frame) = case.read::<ClientFrame>() {
                note("ClientFrame", frame.variant());
            }
        }
        "ServerFrame" => {
            if let Some(frame) = case.read::<ServerFrame>() {
                note("ServerFrame", frame.variant());
            }
        }
        "Rating" => {
            if let Some(rating) = case.read::<Rating>() {
                let tally = rating.tally();
                assert_eq!(case.tally, Some(tally.is_some()), "{}", case.name);
                let written = tally.map(|tally| Rating::of(rating.qr_hash, rating.rev, &tally, rating.own.clone()));
                assert!(written.is_none_or(|written| written == rating), "{}: through the tally and back", case.name);
            }
        }
        "Operation" => {
            if let Some(operation) = case.read::<Operation>() {
                let kind = kind_named(&operation.kind).map(|kind| Value::from(format!("{kind:?}")));
                assert!(case.kind.as_ref().is_none_or(|expected| *expected == kind.unwrap_or_default()));
            }
        }
        "Problem" => {
            if let Some(problem) = case.read::<Problem>() {
                assert!(case.code.as_ref().is_none_or(|code| *code == problem.code));
            }
        }
        other => panic!("{other} is no message"),
    }
}

/// Each code of a refused request has its golden problem, so that the list in the reference stays closed.
#[test]
fn every_problem_has_its_golden_case() {
    let known = [
        codes::AUTH,
        codes::CURSOR_INVALID,
        codes::TOO_MANY_OPS,
        codes::TOO_LARGE,
        codes::MALFORMED,
        codes::RATE_LIMITED,
        codes::DRAINING,
        codes::NOT_FOUND,
        codes::METHOD_NOT_ALLOWED,
        codes::TOO_SLOW,
        codes::UPGRADE_REQUIRED,
        codes::INTERNAL,
    ];
    let files = golden();
    let problems = files.iter().find(|file| file.message == "Problem").unwrap();
    let golden: BTreeSet<_> = problems.cases.iter().filter_map(|case| case.code.as_deref()).collect();
    assert_eq!(golden, BTreeSet::from(known));
}

/// The worked example of the reference.
#[test]
fn the_worked_example_works() {
    use safescan_core::{
        model::UnixMillis,
        voting::{Score, Weights},
    };
    let files = golden();
    let ratings = files.iter().find(|file| file.message == "Rating").unwrap();
    let case = ratings.cases.iter().find(|case| case.name == "votes on both sides of the line").unwrap();
    let tally = case.read::<Rating>().unwrap().tally().unwrap();
    let known = tally.weights_as_known(UnixMillis(1_800_000_000_000));
    assert!(known.exact);
    assert_eq!(known.weights, Weights { safe: 6_739_200_000_000, unsafe_: 1_555_200_000_000 });
    assert_eq!(Score::new(known.weights, tally.count()).confidence.to_bits(), 0.8125_f64.to_bits());
    assert_eq!(tally.exact_until, Some(UnixMillis(1_801_296_000_000)));
}

/// What is said in numbers in the reference is what the code does.
#[test]
fn the_reference_names_the_numbers_of_the_code() {
    use safescan_core::protocol::{LONG_POLL_MS, MAX_BODY_DEPTH, MAX_DEPTH, MAX_PAGE_BYTES, MAX_VALUES, PREFIX_DIGITS};
    let reference = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md")).unwrap();
    let numbers = [
        format!("{PREFIX_DIGITS} hexadecimal digits"),
        format!("{} KiB a page", MAX_PAGE_BYTES / 1024),
        format!("{} s", LONG_POLL_MS / 1000),
        format!("{MAX_DEPTH} levels"),
        format!("{MAX_BODY_DEPTH} levels"),
        "65,536 values".to_owned(),
    ];
    assert_eq!(MAX_VALUES, 65_536);
    for number in numbers {
        assert!(reference.contains(&number), "docs/protocol.md does not say \"{number}\"");
    }
}
