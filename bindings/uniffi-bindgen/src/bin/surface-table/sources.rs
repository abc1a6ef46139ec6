//! Files of source code, and words in them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

pub(crate) struct Source {
    /// From the checkout's top, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Its lines that are no comments.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !["//", "/*", "*"].iter().any(|sign| line.trim_start().starts_with(sign)))
    }
}

/// The files below a folder whose name ends so, in their paths' order; none if there is no such folder.
pub(crate) fn below(folder: &str, extension: &str) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    if !Path::new(folder).is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("reading {folder}"))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(below(&path, extension)?);
        } else if path.ends_with(&format!(".{extension}")) {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
            found.push(Source { path, text });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Whether `line` has `text` in it, with no letter before it (if it begins with one) or after it.
pub(crate) fn has(line: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(text).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_word);
        let after = line[at + text.len()..].chars().next().is_some_and(is_word);
        !(before && text.starts_with(is_word) || after && text.ends_with(is_word))
    })
}

/// The word that `line` begins with.
pub(crate) fn word(line: &str) -> &str {
    &line[..line.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(line.len())]
}
