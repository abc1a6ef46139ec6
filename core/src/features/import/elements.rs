//! The elements of a JSON array one after another, so that a history of a hundred thousand scans is never in memory as
//! more than its text.

use serde_json::value::RawValue;

/// A place in a document.
pub(super) struct Elements {
    text: String,
    at: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Within,
    /// At its proper end.
    Ended,
    /// Where it is no JSON array, or no longer.
    Broken,
}

impl Elements {
    pub(super) fn of(text: String) -> Self {
        Self { text, at: 0, state: State::Before }
    }

    /// The next element, as it is written; none at the end, or where the document breaks off.
    pub(super) fn next(&mut self) -> Option<&str> {
        let before = self.state == State::Before;
        let opens = if before { self.skip(b'[') } else { self.state == State::Within };
        if !opens {
            self.state = if before { State::Broken } else { self.state };
            return None;
        }
        self.state = State::Within;
        if before && self.skip(b']') {
            return self.end();
        }
        if !before && !self.skip(b',') {
            return if self.skip(b']') { self.end() } else { self.broken() };
        }
        let mut stream = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<&RawValue>();
        let Some(Ok(_)) = stream.next() else { return self.broken() };
        let start = self.at;
        self.at += stream.byte_offset();
        Some(self.text[start..self.at].trim())
    }

    /// Goes back to the first element.
    pub(super) fn rewind(&mut self) {
        (self.at, self.state) = (0, State::Before);
    }

    /// Whether everything was read and there is nothing behind it.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::Ended
    }

    /// How far it was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn end(&mut self) -> Option<&str> {
        let nothing_behind = self.text[self.at..].trim().is_empty();
        self.state = if nothing_behind { State::Ended } else { State::Broken };
        None
    }

    fn broken(&mut self) -> Option<&str> {
        self.state = State::Broken;
        None
    }

    /// Goes over this sign and the space before it, if it is the next one.
    fn skip(&mut self, sign: u8) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let found = rest.get(space) == Some(&sign);
        self.at += if found { space + 1 } else { 0 };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, bool) {
        let mut elements = Elements::of(text.to_owned());
        let mut read = Vec::new();
        while let Some(element) = elements.next() {
            read.push(element.to_owned());
        }
        assert!(elements.next().is_none(), "the end is the end");
        (read, elements.is_whole())
    }

    #[test]
    fn whole_documents() {
        assert_eq!(read("[]"), (vec![], true));
        assert_eq!(read(" [ ] \n"), (vec![], true));
        assert_eq!(
            read(r#"[ 1 , {"a":[2,"]"]},"x,y" ]"#),
            (vec!["1".into(), r#"{"a":[2,"]"]}"#.into(), "\"x,y\"".into()], true)
        );
    }

    #[test]
    fn documents_that_break_off_or_are_none() {
        assert_eq!(read(r#"[1,{"a":2"#), (vec!["1".into()], false));
        assert_eq!(read("[1,"), (vec!["1".into()], false));
        assert_eq!(read("[1 2]"), (vec!["1".into()], false));
        assert_eq!(read("[1] and more"), (vec!["1".into()], false));
        for none in ["", "{}", "null", "undefined", "[", "1"] {
            assert_eq!(read(none), (vec![], false), "{none:?}");
        }
    }

    #[test]
    fn a_second_reading_reads_the_same() {
        let mut elements = Elements::of("[1,2]".into());
        while elements.next().is_some() {}
        elements.rewind();
        assert_eq!(elements.next(), Some("1"));
    }
}
