use std::fmt;

/// What was expected, and what came instead.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What `docs/protocol.md` says.
    pub expected: String,
    /// What the server did.
    pub came: String,
}

/// What a check comes to.
pub(crate) type Check<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self { expected: expected.into(), came: came.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}; came {}", self.expected, self.came)
    }
}

/// What came, in a form that people can read.
pub(crate) fn show(came: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(came).unwrap_or_default();
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Fails unless `holds`.
pub(crate) fn expect(holds: bool, expected: impl Into<String>, came: &impl serde::Serialize) -> Check {
    if holds { Ok(()) } else { Err(Failure::new(expected, show(came))) }
}

/// Fails unless both are the same.
pub(crate) fn same<T: PartialEq + fmt::Debug>(what: &str, expected: &T, came: &T) -> Check {
    if expected == came { Ok(()) } else { Err(Failure::new(format!("{what}: {expected:?}"), format!("{came:?}"))) }
}
