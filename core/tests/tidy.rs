//! Holds the architecture: what lies where, and which way the arrows point. The rules are those of `src/lib.rs`.
//!
//! Everything is read off the sources: a new file is under the rules from its first line on. Comments do not count.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Rooms from the lowest layer up. A room may use its own layer and those below.
const LAYERS: [&[&str]; 9] = [
    &["clock", "entropy", "error", "limits", "log", "model"],
    &["protocol", "qr", "resilience", "voting"],
    // Its defaults name kinds of codes, so it stands above the policies.
    &["config"],
    &["cache", "net", "storage"],
    &["remote"],
    &["features", "realtime"],
    &["sync"],
    &["engine"],
    &["ffi"],
];
const ADAPTERS: &[&str] = LAYERS[3];

/// Where threads and tasks are started, and where only work on the disk is handed to a thread.
const SPAWNING: [&str; 5] = ["engine/", "net/lines.rs", "storage/mod.rs", "storage/readers.rs", "storage/writer.rs"];

#[test]
fn arrows_point_down() {
    let layer = |room: &str| {
        let found = LAYERS.iter().position(|layer| layer.contains(&room));
        found.unwrap_or_else(|| panic!("{room} lies in no layer: add it to LAYERS in {}", file!()))
    };
    let mut offences = String::new();
    for source in core_sources().iter().filter(|source| source.path != "lib.rs") {
        let from = source.room();
        for (line, to) in source.rooms_used() {
            let neighbours = from != to && ADAPTERS.contains(&from) && ADAPTERS.contains(&to.as_str());
            if layer(&to) > layer(from) || neighbours {
                let why = if neighbours { "adapters do not know each other" } else { "that lies above" };
                writeln!(offences, "core/src/{}:{line}: {from} uses {to}: {why}", source.path).unwrap();
            }
        }
    }
    assert!(offences.is_empty(), "\n{offences}");
}

#[test]
fn only_the_border_knows_uniffi() {
    expect_none("`uniffi` outside ffi/", |source, tokens| {
        !source.path.starts_with("ffi/") && tokens[0].is_word("uniffi")
    });
}

#[test]
fn only_the_storage_knows_sql() {
    const STATEMENTS: [&str; 12] = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "PRAGMA ", "CREATE ", "DROP ", "ALTER ", "BEGIN", "COMMIT",
        "ROLLBACK", "VACUUM",
    ];
    let is_sql = |token: &Token| match token {
        // `BEGIN:VCARD` begins a visiting card.
        Token { text, kind: Kind::Literal, .. } => {
            STATEMENTS.iter().any(|statement| text.starts_with(statement)) && !text.starts_with("BEGIN:")
        }
        token => token.is_word("rusqlite"),
    };
    expect_none("SQL or `rusqlite` outside storage/", |source, tokens| {
        !source.path.starts_with("storage/") && is_sql(&tokens[0])
    });
}

#[test]
fn only_the_engine_the_storage_and_the_lines_spawn() {
    const STARTERS: [&str; 7] = ["spawn", "spawn_blocking", "spawn_local", "block_on", "thread", "JoinSet", "Runtime"];
    expect_none("a thread or task started elsewhere", |source, tokens| {
        let may = SPAWNING.iter().any(|place| source.path.starts_with(place));
        !may && !tokens[0].in_tests && STARTERS.iter().any(|starter| tokens[0].is_word(starter))
    });
}

#[test]
fn only_the_clock_reads_the_time() {
    expect_none("the time read outside clock.rs", |source, tokens| {
        let clock = ["SystemTime", "Instant"].iter().any(|clock| tokens[0].is_word(clock));
        source.path != "clock.rs" && clock && tokens.len() > 2 && tokens[1].text == "::" && tokens[2].is_word("now")
    });
}

#[test]
fn no_file_is_long() {
    let mut offences = String::new();
    let files = files(&top(), &["rs", "kt", "swift", "ts", "sh"]);
    assert!(files.len() > 50, "only {} files found", files.len());
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > 600 {
            writeln!(offences, "{}: {lines} lines, more than 600", path.display()).unwrap();
        }
    }
    assert!(offences.is_empty(), "\n{offences}");
}

#[test]
fn files_of_the_core_are_short() {
    let mut lengths: Vec<usize> = core_sources().iter().map(|source| source.lines).collect();
    lengths.sort_unstable();
    let (median, p90) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(median <= 200, "half of the files in core/src have more than {median} lines; aim at 200");
    assert!(p90 <= 400, "a tenth of the files in core/src has more than {p90} lines; aim at 400");
}

/// Packages are released together: all have the version that stands in Cargo.toml.
#[test]
fn there_is_one_version() {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let mut offences = String::new();
    let mut found = 0;
    for path in files(&top(), &["xml", "json", "kts", "gradle"]) {
        let text = fs::read_to_string(&path).unwrap();
        for version in versions(path.file_name().unwrap().to_str().unwrap(), &text) {
            found += 1;
            if version != VERSION {
                writeln!(offences, "{}: {version}, and Cargo.toml says {VERSION}", path.display()).unwrap();
            }
        }
    }
    assert!(offences.is_empty(), "\n{offences}");
    // Two of Maven, and three of npm at least, since a lock file has it twice.
    assert!(found >= 5, "only {found} versions found");
}

/// What a file of this name says its package's version is. Gradle has to read it elsewhere.
fn versions(name: &str, text: &str) -> Vec<String> {
    let after = |start: &str, end: &str| Some(text.split_once(start)?.1.split_once(end)?.0.to_owned());
    match name {
        "pom.xml" => after("<version>", "<").into_iter().collect(),
        "package.json" | "package-lock.json" => {
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            let versions = [&json["version"], &json["packages"][""]["version"]];
            versions.into_iter().filter_map(|version| Some(version.as_str()?.to_owned())).collect()
        }
        _ if name.ends_with(".kts") || name.ends_with(".gradle") => after("\nversion = \"", "\"").into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Fails and lists every place where `offends` holds; it is given the tokens from that place on.
fn expect_none(what: &str, offends: impl Fn(&Source, &[Token]) -> bool) {
    let mut offences = String::new();
    for source in core_sources() {
        for at in 0..source.tokens.len() {
            if offends(&source, &source.tokens[at..]) {
                let token = &source.tokens[at];
                writeln!(offences, "core/src/{}:{}: {what}: {}", source.path, token.line, token.text).unwrap();
            }
        }
    }
    assert!(offences.is_empty(), "\n{offences}");
}

struct Source {
    /// Below `core/src`, with slashes.
    path: String,
    lines: usize,
    tokens: Vec<Token>,
}

struct Token {
    text: String,
    kind: Kind,
    line: usize,
    /// Modules opened in this file around it.
    depth: usize,
    in_tests: bool,
}

#[derive(PartialEq)]
enum Kind {
    Word,
    Literal,
    Sign,
}

impl Token {
    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

impl Source {
    fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    /// How many modules lie between the crate and this file's own, which is counted in.
    fn module_depth(&self) -> usize {
        self.path.split('/').filter(|part| *part != "mod.rs").count()
    }

    /// Rooms that paths from `crate::` or `super::` lead to, with their lines.
    fn rooms_used(&self) -> Vec<(usize, String)> {
        let mut rooms = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let begins = at == 0 || self.tokens[at - 1].text != "::";
            if begins && (token.is_word("crate") || token.is_word("super")) {
                let level = if token.is_word("crate") { 0 } else { self.module_depth() + token.depth - 1 };
                self.follow(at + 1, level, &mut rooms);
            }
        }
        rooms
    }

    /// Goes on with a path of which the part before `at` leads to a module `level` below the crate; returns its end.
    fn follow(&self, at: usize, level: usize, rooms: &mut Vec<(usize, String)>) -> usize {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text.as_str());
        if text(at) != "::" {
            return at;
        }
        match text(at + 1) {
            "{" => {
                let mut at = at + 2;
                while !matches!(text(at), "}" | "") {
                    at = self.segment(at, level, rooms);
                    // To the next path of the group, over `as` and the comma.
                    while !matches!(text(at), "," | "}" | "") {
                        at += 1;
                    }
                    at += usize::from(text(at) == ",");
                }
                at + 1
            }
            _ => self.segment(at + 1, level, rooms),
        }
    }

    fn segment(&self, at: usize, level: usize, rooms: &mut Vec<(usize, String)>) -> usize {
        let Some(token) = self.tokens.get(at) else { return at };
        match token.text.as_str() {
            "super" => self.follow(at + 1, level.saturating_sub(1), rooms),
            "self" => self.follow(at + 1, level, rooms),
            room => {
                // Names at the top that are no modules are macros and re-exports.
                if level == 0 && core_src(room).is_some() {
                    rooms.push((token.line, room.to_owned()));
                }
                self.follow(at + 1, level + 1, rooms)
            }
        }
    }
}

/// The file or folder of a module at the top of the crate.
fn core_src(module: &str) -> Option<PathBuf> {
    let src = top().join("core/src");
    [src.join(module), src.join(format!("{module}.rs"))].into_iter().find(|path| path.exists())
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn core_sources() -> Vec<Source> {
    let src = top().join("core/src");
    let paths = files(&src, &["rs"]);
    assert!(paths.len() > 50, "only {} files found", paths.len());
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        let only_tests = path.contains("/tests/") || path.ends_with("tests.rs");
        Source { lines: text.lines().count(), tokens: tokens(&text, only_tests), path }
    };
    paths.into_iter().map(source).collect()
}

/// Files below a folder with one of these extensions; not what is generated or fetched.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() {
            if !name.starts_with('.') && !["build", "generated", "node_modules", "target"].contains(&name.as_str()) {
                found.extend(files(&path, extensions));
            }
        } else if extensions.iter().any(|extension| path.extension().is_some_and(|own| own == *extension)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Words, literals and signs of Rust code, as far as the rules need them.
fn tokens(text: &str, only_tests: bool) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    // For each open brace: whether it is a module's, and whether that is one of tests.
    let mut braces: Vec<(bool, bool)> = Vec::new();
    let (mut rest, mut next_line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kind) = next_token(rest, first);
        let (token, after) = rest.split_at(length);
        let line = next_line;
        next_line += token.matches('\n').count();
        rest = after;
        let Some(kind) = kind else { continue };
        let before = |back: usize| tokens.len().checked_sub(back).map(|at| &tokens[at]);
        if kind == Kind::Sign && token == "{" {
            let module = before(2).is_some_and(|token| token.is_word("mod"));
            braces.push((module, module && before(1).is_some_and(|token| token.is_word("tests"))));
        } else if kind == Kind::Sign && token == "}" {
            braces.pop();
        }
        let token = if kind == Kind::Literal { token.trim_matches(['r', 'b', 'c', '#', '"']) } else { token };
        tokens.push(Token {
            text: token.to_owned(),
            kind,
            line,
            depth: braces.iter().filter(|(module, _)| *module).count(),
            in_tests: only_tests || braces.iter().any(|(_, tests)| *tests),
        });
    }
    tokens
}

/// Length and kind of what the text begins with; no kind for blanks and comments.
fn next_token(text: &str, first: char) -> (usize, Option<Kind>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), None);
    }
    if text.starts_with("/*") {
        return (until("*/", 2), None);
    }
    if let Some((prefix, hashes)) = raw_string(text) {
        return (until(&format!("\"{}", "#".repeat(hashes)), prefix), Some(Kind::Literal));
    }
    match first {
        '"' => (end_of_string(text), Some(Kind::Literal)),
        'b' | 'c' if text[1..].starts_with('"') => (1 + end_of_string(&text[1..]), Some(Kind::Literal)),
        // A character; `'a` without a second quote is a lifetime.
        '\'' if text[1..].starts_with('\\') => (until("'", 3), Some(Kind::Sign)),
        '\'' => {
            let after = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            let length = if text[after..].starts_with('\'') { after + 1 } else { 1 };
            (length, Some(Kind::Sign))
        }
        blank if blank.is_whitespace() => (blank.len_utf8(), None),
        letter if is_word(letter) => (text.find(|c| !is_word(c)).unwrap_or(text.len()), Some(Kind::Word)),
        _ if text.starts_with("::") => (2, Some(Kind::Sign)),
        sign => (sign.len_utf8(), Some(Kind::Sign)),
    }
}

/// Where the content of a raw string begins, and how many `#` end it.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let after = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let quoted = after.trim_start_matches('#');
    let hashes = after.len() - quoted.len();
    quoted.starts_with('"').then(|| (text.len() - quoted.len() + 1, hashes))
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn the_rules_see_what_they_should() {
    let source = |path: &str, text: &str| Source { path: path.into(), lines: 1, tokens: tokens(text, false) };
    let used = |path: &str, text: &str| -> Vec<String> {
        source(path, text).rooms_used().into_iter().map(|(_, room)| room).collect()
    };
    assert_eq!(
        used("qr/kind.rs", "use crate::{error::{Error, Result}, model::*, storage};"),
        ["error", "model", "storage"]
    );
    assert_eq!(used("qr/kind.rs", "use super::{super::engine::Core, link}; use super::link;"), ["engine"]);
    assert_eq!(
        used("cache.rs", "use super::storage::Store; mod tests { use super::*; use super::super::ffi; }"),
        ["storage", "ffi"]
    );
    assert_eq!(
        used("qr/mod.rs", "// crate::engine\npub(crate) fn f() { \"crate::engine\"; crate::engine::go::<'a'>() }"),
        ["engine"]
    );
    assert_eq!(versions("pom.xml", "<version>1</version><version>2</version>"), ["1"]);
    assert_eq!(versions("package-lock.json", r#"{"version":"1","packages":{"":{"version":"2"}}}"#), ["1", "2"]);
    assert_eq!(versions("build.gradle.kts", "plugins {}\nversion = \"3\"\n"), ["3"]);
    assert_eq!(versions("build.gradle.kts", "\nversion = cargoVersion()\n"), [""; 0]);
    let tokens = tokens("a('\"', '\\'', 'l, \"x\\\"y\", r#\"SELECT \"#) // b\n/* c */ ::d mod tests { e }", false);
    let words: Vec<_> = tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| &*token.text).collect();
    assert_eq!(words, ["a", "l", "d", "mod", "tests", "e"]);
    let literals: Vec<_> =
        tokens.iter().filter(|token| token.kind == Kind::Literal).map(|token| &*token.text).collect();
    assert_eq!(literals, ["x\\\"y", "SELECT "]);
    assert!(tokens.iter().any(|token| token.is_word("e") && token.in_tests && token.line == 2 && token.depth == 1));
}
