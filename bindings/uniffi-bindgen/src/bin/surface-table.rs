//! Makes docs/surface.md: every call, error and event of the surface, and which tests of each language exercise it.
//!
//!     surface-table               prints it
//!     surface-table --check FILE  fails if FILE does not hold it
//!
//! Nothing in it is written by hand. What there is comes from bindings/api.txt; what the scenarios call, from the
//! scenarios, which every language runs; how a language's own layer spells a call, from the layer, where one declaration
//! holds the call that it passes on; and which tests make it, from the tests, read line by line without comments. It runs
//! in the checkout's top folder.

#[path = "surface-table/languages.rs"]
mod languages;
#[path = "surface-table/sources.rs"]
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use languages::{LANGUAGES, Language};

const API: &str = "bindings/api.txt";
const SCENARIOS: &str = "bindings/scenarios";
/// As many tests as a cell names; more would only make the table change with every new test.
const NAMED: usize = 3;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(io::stderr(), "surface-table: {error:#}").ok();
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let page = page()?;
    let file = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            io::stdout().write_all(page.as_bytes())?;
            return Ok(true);
        }
        ["--check", file] => file,
        _ => bail!("usage: surface-table [--check FILE]"),
    };
    let stored = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    if stored != page {
        let mut out = io::stderr().lock();
        writeln!(out, "{file} (-) is not what the tests exercise (+):")?;
        let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (stored.lines().collect(), page.lines().collect());
        for line in old.symmetric_difference(&new) {
            writeln!(out, "{} {line}", if old.contains(line) { '-' } else { '+' })?;
        }
        writeln!(out, "Renew it: scripts/docs --surface")?;
    }
    Ok(stored == page)
}

/// What a row is about.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Item<'a> {
    Function(&'a str),
    /// Of the object in the first place, which may be its constructor.
    Method(&'a str, &'a str),
    Error(&'a str),
    Event(&'a str),
}

impl<'a> Item<'a> {
    fn name(self) -> &'a str {
        match self {
            Item::Function(name) | Item::Method(_, name) | Item::Error(name) | Item::Event(name) => name,
        }
    }

    /// As scenarios write it: what `Surface::scenarios` has it under.
    fn in_scenarios(self) -> String {
        match self {
            Item::Function(name) | Item::Method("SafeScan", name) => camel(name),
            Item::Method(object, name) => format!("{object}.{name}"),
            Item::Error(name) => format!("error {name}"),
            Item::Event(name) => format!("event {name}"),
        }
    }
}

/// The items in the listing's order, which is their alphabet's but for variants.
fn items(api: &str) -> Vec<Item<'_>> {
    let until = |text: &'static str| move |line: &'_ str| line.find(text).unwrap_or(line.len());
    let name = |line: &'_ str| until("(")(line).min(until(" {")(line));
    let mut heading = "";
    let mut items = Vec::new();
    for line in api.lines() {
        let Some(member) = line.strip_prefix("    ") else {
            heading = line;
            if let Some(function) = line.strip_prefix("function ") {
                items.push(Item::Function(&function[..name(function)]));
            }
            continue;
        };
        let member = member.strip_prefix("constructor ").unwrap_or(member);
        let member = &member[..name(member)];
        match heading {
            "error SafeScanError" => items.push(Item::Error(member)),
            "enum CoreEvent" => items.push(Item::Event(member)),
            // What an app implements (traits) is exercised by the call that takes it.
            _ => items.extend(heading.strip_prefix("object ").map(|object| Item::Method(object, member))),
        }
    }
    items
}

/// Which scenarios have a call, an error or an event in them.
fn scenarios() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources::below(SCENARIOS, "json")? {
        let scenario: Value = serde_json::from_str(&file.text).with_context(|| file.path.clone())?;
        let mut has = |what: String| {
            found.entry(what).or_default().insert(file.stem().to_owned());
        };
        // Each opens a core before its first step.
        has("open".into());
        for step in scenario["steps"].as_array().into_iter().flatten() {
            let call = step["call"].as_str().with_context(|| format!("{}: a step without a call", file.path))?;
            has(call.into());
            if let Some(error) = step["error"].as_str() {
                has(format!("error {error}"));
            }
            if call == "nextEvents" {
                // A variant without data is its name, one with data an object that has it as its type.
                for event in step["expect"].as_array().into_iter().flatten() {
                    has(format!("event {}", event["type"].as_str().or(event.as_str()).unwrap_or_default()));
                }
            }
        }
    }
    Ok(found)
}

fn page() -> Result<String> {
    let api = fs::read_to_string(API).with_context(|| format!("reading {API}"))?;
    let items = items(&api);
    let scenarios = scenarios()?;
    let tests = LANGUAGES.iter().map(Language::read).collect::<Result<Vec<_>>>()?;
    let mut rows: [Vec<String>; 3] = Default::default();
    let mut gaps = Vec::new();
    for &item in &items {
        let shared = scenarios.get(&item.in_scenarios());
        let mut cells = vec![format!("`{}`", heading(item)), shared.map_or_else(String::new, named)];
        for (language, tests) in LANGUAGES.iter().zip(&tests) {
            let (spelling, found) = tests.exercising(item);
            let mut cell = named(&found);
            if shared.is_none() && found.is_empty() {
                gaps.push(format!("`{}` in {}", heading(item), language.name));
                cell = "**none found**".into();
            }
            if let Some(spelling) = spelling {
                cell = format!("`{spelling}`{}{cell}", if cell.is_empty() { "" } else { ": " });
            }
            cells.push(cell);
        }
        let table = match item {
            Item::Function(_) | Item::Method(..) => 0,
            Item::Error(_) => 1,
            Item::Event(_) => 2,
        };
        rows[table].push(format!("| {} |\n", cells.join(" | ")));
    }
    ensure!(rows.iter().all(|rows| !rows.is_empty()), "{API} has no calls, no errors or no events");

    let mut page = INTRODUCTION.to_owned();
    page.push_str(&match gaps.len() {
        0 => "**Gaps: none.** Every call, error and event is exercised in every language.\n".to_owned(),
        count => format!("**Gaps: {count}.** Not exercised: {}.\n", gaps.join(", ")),
    });
    for (title, rows) in ["Calls", "Errors", "Events"].iter().zip(rows) {
        let names: Vec<&str> = LANGUAGES.iter().map(|language| language.name).collect();
        page.push_str(&format!("\n## {title}\n\n| | in scenarios, in every language | {} |\n", names.join(" | ")));
        page.push_str(&format!("|---|---|{}\n", "---|".repeat(names.len())));
        page.extend(rows);
    }
    Ok(page)
}

fn heading(item: Item<'_>) -> String {
    match item {
        Item::Method("SafeScan", name) => name.to_owned(),
        Item::Method(object, name) => format!("{object}.{name}"),
        item => item.name().to_owned(),
    }
}

/// The first of them, and how many there are besides.
fn named(all: &BTreeSet<String>) -> String {
    let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED {
        text.push_str(", …");
    }
    text
}

pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

const INTRODUCTION: &str = "\
# What is tested where

Made from the code by `scripts/docs --surface`, never edited; `scripts/test surface` fails when it is stale.

Every call, error and event of [the surface](../bindings/api.txt) is a row. The second column names the
[scenarios](../bindings/scenarios/README.md) that exercise it, which Rust, Kotlin, Swift and TypeScript all run, each through
its own package on the real library. The others name a language's own tests that exercise it besides, after the names that
the language's own layer has for it or makes the call in. At most three are named; `…` stands for more.

Kotlin runs on the JVM, and in the glue's tests on Android's framework (Robolectric); Swift on Linux; TypeScript in Node, and
of its tests those without `.node` in their names on React Native's interface (JavaScriptCore) as well. Rust's unit tests,
inside `core/src`, are not read. A test is found by the call's text: that it *checks* what it exercises is for its readers to
see.

";
