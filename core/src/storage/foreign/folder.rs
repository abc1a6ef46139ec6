//! A storage on an Apple system: `manifest.json`, one JSON object, and files beside it.
//!
//! A value of up to 1,024 UTF-16 units stands in the manifest; `null` there says that the value is in a file of its own,
//! named by the MD5 of the key in lowercase hexadecimal digits. The manifest is written anew with every change, and a
//! device that is locked may refuse to open it: one that cannot be read, or not to its end, means "later".

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    vec,
};

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use super::{Batch, Document, MAX_DOCUMENT_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES, text};
use crate::{
    error::{Error, Result},
    storage::hex,
};

pub(super) const MANIFEST: &str = "manifest.json";
const WHILE: &str = "reading AsyncStorage's manifest";

pub(crate) struct Folder {
    path: PathBuf,
    entries: vec::IntoIter<(String, Value)>,
    documents: HashMap<String, Value>,
    pub(super) total: u64,
}

/// What stands for a value.
enum Found {
    Bytes { bytes: Vec<u8>, altered: bool },
    TooLong,
    Missing,
}

impl Folder {
    pub(super) fn open(path: &Path, documents: &[&str]) -> Result<Self> {
        let manifest = path.join(MANIFEST);
        let failed = |error: io::Error| Error::io(&error, WHILE);
        if fs::metadata(&manifest).map_err(failed)?.len() > MAX_DOCUMENT_BYTES as u64 {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        let bytes = fs::read(&manifest).map_err(failed)?;
        // Of a key that stands there twice the last value counts, as in JavaScript.
        let object: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
        drop(bytes);
        let mut folder =
            Self { path: path.to_owned(), entries: Vec::new().into_iter(), documents: HashMap::new(), total: 0 };
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object {
            folder.total += (key.len() as u64) + folder.size(&key, &value);
            if documents.contains(&key.as_str()) {
                folder.documents.insert(key, value);
            } else {
                entries.push((key, value));
            }
        }
        folder.entries = entries.into_iter();
        Ok(folder)
    }

    pub(super) fn next(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch::default();
        if self.entries.len() == 0 {
            return Ok(None);
        }
        while !batch.is_full() {
            let Some((key, value)) = self.entries.next() else { break };
            batch.bytes += key.len() as u64;
            if key.len() > MAX_KEY_BYTES {
                batch.counts.refused += 1;
                continue;
            }
            match self.value(&key, value, MAX_VALUE_BYTES)? {
                Found::Bytes { bytes, altered } => {
                    batch.bytes += bytes.len() as u64;
                    batch.counts.altered += u32::from(altered);
                    batch.take(key.as_bytes(), bytes);
                }
                Found::TooLong => batch.counts.refused += 1,
                Found::Missing => batch.counts.lost += 1,
            }
        }
        Ok(Some(batch))
    }

    pub(super) fn document(&mut self, key: &str) -> Result<Document> {
        let Some(value) = self.documents.remove(key) else { return Ok(Document::Missing) };
        Ok(match self.value(key, value, MAX_DOCUMENT_BYTES)? {
            Found::Bytes { bytes, .. } => {
                let (text, altered) = text(bytes);
                Document::Text { text, altered }
            }
            Found::TooLong => Document::TooLong,
            Found::Missing => Document::Lost,
        })
    }

    fn value(&self, key: &str, value: Value, limit: usize) -> Result<Found> {
        let bytes = match value {
            Value::String(text) => text.into_bytes(),
            Value::Null => return self.file(key, limit),
            // AsyncStorage writes nothing else; whatever it is, its JSON is kept.
            other => return Ok(Found::Bytes { bytes: other.to_string().into_bytes(), altered: true }),
        };
        Ok(if bytes.len() > limit { Found::TooLong } else { Found::Bytes { bytes, altered: false } })
    }

    fn file(&self, key: &str, limit: usize) -> Result<Found> {
        let path = self.path_of(key);
        let read = fs::metadata(&path).and_then(|file| {
            let fits = file.len() <= limit as u64;
            if fits { fs::read(&path).map(Some) } else { Ok(None) }
        });
        match read {
            Ok(Some(bytes)) => Ok(Found::Bytes { bytes, altered: false }),
            Ok(None) => Ok(Found::TooLong),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Missing),
            Err(error) => Err(Error::io(&error, super::WHILE)),
        }
    }

    fn size(&self, key: &str, value: &Value) -> u64 {
        match value {
            Value::String(text) => text.len() as u64,
            Value::Null => fs::metadata(self.path_of(key)).map_or(0, |file| file.len()),
            _ => 0,
        }
    }

    fn path_of(&self, key: &str) -> PathBuf {
        let digest = Md5::digest(key.as_bytes());
        self.path.join(hex(&digest))
    }
}
