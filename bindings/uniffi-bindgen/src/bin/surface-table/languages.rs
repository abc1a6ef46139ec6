//! How each language spells what the surface has, and where its tests are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::{
    Item, camel,
    sources::{self, Source, has, word},
};

pub(crate) struct Language {
    pub(crate) name: &'static str,
    extensions: &'static [&'static str],
    tests: &'static [&'static str],
    /// Parts of paths of what runs the scenarios, or stands in for something: no tests by themselves.
    aside: &'static [&'static str],
    /// The language's own layer over what is generated. Rust's is the border itself, passed through the other way.
    layer: &'static [&'static str],
    /// How the layer calls what is below it, but for the call's name. After it comes the name, and `(`.
    below: &'static [&'static str],
    /// Calls that the layer passes on in more steps than one, and what they are to an app.
    doors: &'static [(&'static str, &'static str)],
    /// What a line of the layer declares to apps.
    declared: fn(&str) -> Option<&str>,
    snake: bool,
    event: fn(&str) -> Vec<String>,
    error: fn(&str) -> Vec<String>,
}

pub(crate) const LANGUAGES: [Language; 4] = [
    Language {
        name: "Rust",
        extensions: &["rs"],
        tests: &["core/tests"],
        aside: &["/scenarios/", "/support/", "/tidy.rs"],
        layer: &["core/src/ffi"],
        below: &["core."],
        doors: &[],
        declared: |line| {
            let line = line.trim_start().strip_prefix("pub ")?;
            Some(word(line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?))
        },
        snake: true,
        event: |name| vec![format!("Event::{name}"), format!("CoreEvent::{name}")],
        error: |name| vec![format!("Error::{name}"), format!("SafeScanError::{name}")],
    },
    Language {
        name: "Kotlin",
        extensions: &["kt"],
        // The glue's tests run the same core through the same package.
        tests: &["bindings/kotlin/src/test", "android/src/test"],
        aside: &["/scenarios/", "/ScenarioTest.kt"],
        layer: &["bindings/kotlin/src/main"],
        below: &["", "reader."],
        doors: &[],
        declared: |line| {
            let at = ["fun SafeScan.", "val SafeScan.", "fun <T> SafeScan."].iter().find_map(|it| after(line, it))?;
            (!line.starts_with("internal") && !line.starts_with("private")).then(|| word(at))
        },
        snake: false,
        event: |name| vec![format!("CoreEvent.{name}")],
        error: |name| vec![format!("SafeScanException.{name}")],
    },
    Language {
        name: "Swift",
        extensions: &["swift"],
        tests: &["bindings/swift/Tests", "ios/Tests"],
        aside: &["/Scenarios/", "/ScenarioTests.swift"],
        layer: &["bindings/swift/Sources/SafeScanCore/Layer"],
        below: &["", "reader.", "core."],
        doors: &[("watch", "ratings"), ("unwatch", "ratings"), ("EventReader.next", "events")],
        declared: |line| Some(word(["public func ", "public var "].iter().find_map(|it| after(line, it))?)),
        snake: false,
        event: |name| vec![format!(".{}{}", name[..1].to_lowercase(), &name[1..])],
        error: |name| vec![format!(".{name}")],
    },
    Language {
        name: "TypeScript",
        extensions: &["ts", "tsx"],
        tests: &["bindings/react-native/test"],
        aside: &["/scenario.ts", "/scenarios.test.ts", "/jsi/"],
        layer: &["bindings/react-native/src"],
        below: &["#core.", "native.", "native.SafeScan."],
        doors: &[
            ("watch", "ratings.watch"),
            ("unwatch", "ratings.watch"),
            ("next_events", "events"),
            ("event_reader", "events"),
            ("EventReader.next", "events"),
            ("EventReader.finish", "events"),
            ("set_listener", "on"),
        ],
        declared: |line| {
            if let Some(function) = line.strip_prefix("export function ") {
                return Some(word(function));
            }
            let line = line.strip_prefix("  ").filter(|line| line.starts_with(char::is_alphabetic))?;
            let line = line.strip_prefix("static ").unwrap_or(line);
            let name = word(line.strip_prefix("async ").unwrap_or(line));
            let opens = line.ends_with('{') || line.ends_with('(');
            (opens && name != "constructor").then_some(name).filter(|name| has(line, &format!("{name}(")))
        },
        snake: false,
        event: |name| vec![format!("\"{name}\"")],
        error: |name| vec![format!("\"{name}\"")],
    },
];

/// What comes after `text` in `line`.
fn after<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    line.split_once(text).map(|(_, rest)| rest)
}

/// A language's tests, and the spellings of its layer.
pub(crate) struct Tests {
    language: &'static Language,
    tests: Vec<Source>,
    /// By the call's own name: what the layer offers in its place.
    doors: BTreeMap<String, BTreeSet<String>>,
}

impl Language {
    pub(crate) fn read(&'static self) -> Result<Tests> {
        let all = |folders: &[&str]| -> Result<Vec<Source>> {
            let mut found = Vec::new();
            for folder in folders {
                for extension in self.extensions {
                    found.extend(sources::below(folder, extension)?);
                }
            }
            Ok(found)
        };
        let mut tests = all(self.tests)?;
        tests.retain(|file| !self.aside.iter().any(|aside| file.path.contains(aside)));
        let layer = all(self.layer)?;
        ensure!(
            !tests.is_empty() && !layer.is_empty(),
            "{} has no tests or no layer where they are looked for",
            self.name
        );
        let mut doors = BTreeMap::new();
        let groups = groups(&layer);
        for file in &layer {
            self.find_doors(file, &groups, &mut doors);
        }
        for (call, door) in self.doors {
            doors.entry((*call).to_owned()).or_default().insert((*door).to_owned());
        }
        Ok(Tests { language: self, tests, doors })
    }

    /// One declaration after another, with the calls between it and the next.
    fn find_doors(&self, file: &Source, groups: &BTreeMap<&str, &str>, doors: &mut BTreeMap<String, BTreeSet<String>>) {
        let mut group = "";
        let mut declared = None;
        for line in file.lines() {
            if let Some(class) = after(line, "export class ") {
                group = groups.get(word(class)).copied().unwrap_or_default();
            }
            if let Some(name) = (self.declared)(line).filter(|name| !name.is_empty()) {
                declared = Some(name);
            }
            let Some(name) = declared else { continue };
            for below in self.below {
                // Of a line at the border the first is the call: what comes after it handles errors.
                for (at, _) in line.match_indices(below).take(if self.snake { 1 } else { usize::MAX }) {
                    let path = line[at + below.len()..].split('(').next().unwrap_or_default();
                    let is_path = !path.is_empty() && path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
                    if !is_path || !line[at + below.len() + path.len()..].starts_with('(') {
                        continue;
                    }
                    let (call, door) = match (self.snake, group) {
                        (true, _) => (name.to_owned(), path.to_owned()),
                        (false, "") => (path.to_owned(), name.to_owned()),
                        (false, group) => (path.to_owned(), format!("{group}.{name}")),
                    };
                    let call = if *below == "reader." { format!("EventReader.{call}") } else { call };
                    doors.entry(call).or_default().insert(door);
                }
            }
        }
    }

    /// A test's name: in Rust that of its program, elsewhere its file's.
    fn label(&self, file: &Source) -> String {
        if self.snake {
            let inside = file.path.trim_start_matches(self.tests[0]).trim_start_matches('/');
            return inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        }
        file.stem().trim_end_matches(".test").to_owned()
    }
}

/// TypeScript's groups of calls, by their class: `readonly scans: Scans;`.
fn groups(layer: &[Source]) -> BTreeMap<&str, &str> {
    let lines = layer.iter().flat_map(Source::lines).filter_map(|line| line.strip_prefix("  readonly "));
    let fields = lines
        .filter_map(|line| line.strip_suffix(';')?.split_once(": "))
        .filter(|(_, class)| class.chars().all(char::is_alphabetic) && *class != "SafeScan");
    fields.map(|(field, class)| (class, field)).collect()
}

impl Tests {
    /// The spelling in this language, where it is another, and the tests that have it.
    pub(crate) fn exercising(&self, item: Item<'_>) -> (Option<String>, BTreeSet<String>) {
        let (spelling, texts) = match item {
            Item::Error(name) => (None, (self.language.error)(name)),
            Item::Event(name) => (None, (self.language.event)(name)),
            Item::Function(name) => (None, vec![format!("{}(", self.spelt(name))]),
            Item::Method(object, name) => self.method(object, name),
        };
        let has_it = |file: &&Source| file.lines().any(|line| texts.iter().any(|text| has(line, text)));
        (spelling, self.tests.iter().filter(has_it).map(|file| self.language.label(file)).collect())
    }

    fn method(&self, object: &str, name: &str) -> (Option<String>, Vec<String>) {
        let plain = self.spelt(name);
        // A reader's methods have everybody's names: what they are called on must look like a reader.
        let (call, receiver) = match object {
            "SafeScan" => (name.to_owned(), String::new()),
            object => (format!("{object}.{name}"), object.trim_start_matches("Event").to_lowercase()),
        };
        let doors = self.doors.get(&call).or_else(|| self.doors.get(&plain));
        let doors: Vec<&String> = doors.into_iter().flatten().filter(|door| **door != plain).collect();
        let mut texts = vec![format!("{receiver}.{plain}(")];
        // What a layer offers may be a property.
        texts.extend(doors.iter().map(|door| format!(".{door}")));
        let spelling = doors.iter().map(|door| door.as_str()).collect::<Vec<_>>().join("`, `");
        (Some(spelling).filter(|spelling| !spelling.is_empty()), texts)
    }

    fn spelt(&self, name: &str) -> String {
        if self.language.snake { name.to_owned() } else { camel(name) }
    }
}
