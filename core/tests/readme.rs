//! The README's examples are lines of programs that the language packages compile and run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{fs, path::Path};

/// Heading in the README, language of the first block of its under it, and the program that holds its lines between
/// `README begin` and `README end`.
const EXAMPLES: [(&str, &str, &str); 5] = [
    ("## Five lines", "kotlin", "bindings/kotlin/src/test/kotlin/dev/safescan/examples/Quickstart.kt"),
    ("## Five lines", "swift", "bindings/swift/Sources/Quickstart/main.swift"),
    ("## Five lines", "ts", "bindings/react-native/examples/quickstart.ts"),
    ("## Live", "kotlin", "bindings/kotlin/src/test/kotlin/dev/safescan/examples/Live.kt"),
    ("## Live", "swift", "bindings/swift/Tests/SafeScanCoreTests/Examples/Live.swift"),
];

fn read(path: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(top.join(path)).expect(path)
}

fn lines(text: &str, begin: impl Fn(&str) -> bool, end: impl Fn(&str) -> bool) -> Vec<&str> {
    text.lines().map(str::trim).skip_while(|line| !begin(line)).skip(1).take_while(|line| !end(line)).collect()
}

#[test]
fn examples_are_the_programs_lines() {
    let readme = read("README.md");
    for (heading, language, program) in EXAMPLES {
        let (_, section) = readme.split_once(&format!("\n{heading}\n")).expect(heading);
        let fence = format!("```{language}");
        let shown = lines(section, |line| line == fence, |line| line == "```");
        let program_text = read(program);
        let run = lines(&program_text, |line| line.ends_with("README begin"), |line| line.ends_with("README end"));
        assert!(!run.is_empty(), "{program} has nothing between README begin and README end");
        assert_eq!(shown, run, "README.md and {program} differ");
    }
}
