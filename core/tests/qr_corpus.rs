//! The demo's codes, one of every format in use, against what the core makes of them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use safescan_core::model::QrKind;
use safescan_core::qr::{canonical, canonical_host, classify, hash_host, hash_text};
use serde_json::Value;

/// Read where it is kept, so that demo and tests cannot drift apart.
fn corpus() -> Vec<(String, QrKind)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/payloads.jsonl");
    let lines = fs::read_to_string(path).expect("the corpus lies in demo/");
    lines.lines().map(|line| entry(line).expect("each line has a text and a kind")).collect()
}

fn entry(line: &str) -> Option<(String, QrKind)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let kind = match value["kind"].as_str()? {
        "web_link" => QrKind::WebLink,
        "app_link" => QrKind::AppLink,
        "wifi" => QrKind::Wifi,
        "contact" => QrKind::Contact,
        "otp" => QrKind::Otp,
        "email" => QrKind::Email,
        "sms" => QrKind::Sms,
        "phone" => QrKind::Phone,
        "location" => QrKind::Location,
        "calendar" => QrKind::Calendar,
        "payment" => QrKind::Payment,
        "product" => QrKind::Product,
        "text" => QrKind::Text,
        _ => return None,
    };
    Some((value["text"].as_str()?.to_owned(), kind))
}

#[test]
fn the_corpus_is_worth_its_name() {
    let corpus = corpus();
    let texts: HashSet<_> = corpus.iter().map(|(text, _)| text).collect();
    let mut per_kind: HashMap<QrKind, usize> = HashMap::new();
    for (_, kind) in &corpus {
        *per_kind.entry(*kind).or_default() += 1;
    }
    assert!(corpus.len() >= 330, "{} codes", corpus.len());
    assert_eq!(texts.len(), corpus.len(), "every text once");
    assert_eq!(per_kind.len(), 13, "every kind");
    assert!(per_kind.values().all(|count| *count >= 10), "{per_kind:?}");
    assert!(texts.iter().any(|text| text.len() == 2_953), "the most bytes a code holds");
    assert!(texts.iter().any(|text| text.chars().count() == 4_296), "the most characters a code holds");
    assert!(!texts.iter().any(|text| text.contains('\0')), "a text with an end in its middle");
}

#[test]
fn every_code_is_of_the_kind_it_says() {
    let wrong: Vec<_> = corpus()
        .into_iter()
        .map(|(text, kind)| (classify(&text), kind, text))
        .filter(|(found, kind, _)| found != kind)
        .collect();
    assert!(wrong.is_empty(), "found, said, text: {wrong:#?}");
}

#[test]
fn the_canonical_form_is_its_own() {
    for (text, kind) in corpus() {
        let once = canonical(&text);
        assert_eq!(canonical(&once), once, "{text:?}");
        assert_eq!(classify(&once), kind, "{text:?}");
        assert_eq!(hash_text(&once), hash_text(&text), "{text:?}");
    }
}

#[test]
fn every_web_link_of_the_corpus_has_a_host_and_nothing_else_has() {
    for (text, kind) in corpus() {
        let host = canonical_host(&text);
        assert_eq!(host.is_some(), kind == QrKind::WebLink, "{text:?}");
        if let Some(host) = host {
            assert_ne!(hash_host(&host), hash_text(&text), "{text:?}");
        }
    }
}

#[test]
fn codes_share_a_name_only_if_they_are_one_code() {
    let mut by_hash: HashMap<_, Vec<_>> = HashMap::new();
    for (text, _) in corpus() {
        by_hash.entry(hash_text(&text)).or_default().push(text);
    }
    let shared: Vec<_> = by_hash.into_values().filter(|texts| texts.len() > 1).collect();
    for texts in &shared {
        assert!(texts.iter().all(|text| canonical(text) == canonical(&texts[0])), "{texts:#?}");
    }
    let spare: usize = shared.iter().map(|texts| texts.len() - 1).sum();
    // Two more spellings of the front page of example.com, and two of the address 192.0.2.1.
    assert_eq!(spare, 4, "other spellings of a code of the corpus: {shared:#?}");
}
