//! The list of cases: each has a name of its own and a paragraph that exists, and no chapter of the server's is forgotten.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::collections::BTreeSet;

use safescan_conformance::cases;

const REFERENCE: &str = include_str!("../../../docs/protocol.md");

/// `§3.2` for `### 3.2 Answer`, `§5` for `## 5. How …`.
fn paragraphs() -> BTreeSet<String> {
    let headings = REFERENCE.lines().filter(|line| line.starts_with("## ") || line.starts_with("### "));
    let numbers = headings.filter_map(|line| line.split_whitespace().nth(1));
    numbers.map(|number| format!("§{}", number.trim_end_matches('.'))).collect()
}

#[test]
fn every_case_has_its_own_name_and_a_paragraph() {
    let (cases, paragraphs) = (cases(), paragraphs());
    assert!(cases.len() > 100, "only {} cases", cases.len());
    let mut names = BTreeSet::new();
    for case in cases {
        assert!(names.insert(case.name), "{} occurs twice", case.name);
        assert!(paragraphs.contains(case.paragraph), "{}: there is no {}", case.name, case.paragraph);
    }
}

#[test]
fn every_chapter_about_servers_is_checked() {
    let chapter = |paragraph: &str| paragraph.trim_start_matches('§').split('.').next().unwrap_or_default().to_owned();
    let checked: BTreeSet<String> = cases().iter().map(|case| chapter(case.paragraph)).collect();
    // 1 and 12 are about the whole and about the device; 15 repeats limits that others check.
    for number in [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16, 17] {
        assert!(checked.contains(&number.to_string()), "no case checks chapter {number}");
    }
}

/// Links within the reference lead somewhere.
#[test]
fn links_of_the_reference_lead_somewhere() {
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    let headings = REFERENCE.lines().filter(|line| line.starts_with("## ") || line.starts_with("### "));
    let anchors: BTreeSet<String> = headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect();
    let links: Vec<&str> = REFERENCE.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 30, "only {} links", links.len());
    for link in links {
        assert!(anchors.contains(link), "#{link} leads nowhere; there are {anchors:?}");
    }
}
