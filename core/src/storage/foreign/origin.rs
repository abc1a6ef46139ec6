//! One storage on the disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};

use super::folder::MANIFEST;
use crate::error::{Error, Result};

const REMOVING: &str = "removing what AsyncStorage left";

/// A storage of AsyncStorage's.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(super) shape: Shape,
    pub(super) path: PathBuf,
    /// Tells it from the others of the app, wherever the app's directory lies.
    pub(crate) label: String,
    /// Older copies that it took the place of.
    pub(super) stale: Vec<Origin>,
}

#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// The tables it may have, the best first.
    Database {
        tables: &'static [&'static str],
    },
    Folder,
}

/// What a storage's files look like from outside: any change of them shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) digest: [u8; 32],
    /// Size of the files.
    pub(crate) bytes: u64,
}

impl Origin {
    pub(super) fn new(shape: Shape, path: PathBuf, label: String) -> Self {
        Self { shape, path, label, stale: Vec::new() }
    }

    /// What its files look like now.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        let mut sum = Sha256::new();
        let mut bytes = 0;
        for path in self.files()? {
            let file = match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found.map_err(|error| Error::io(&error, super::WHILE))?,
            };
            let changed = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            sum.update((name.len() as u64).to_le_bytes());
            sum.update(name);
            sum.update(file.len().to_le_bytes());
            sum.update(changed.as_nanos().to_le_bytes());
            bytes += file.len();
        }
        Ok(Fingerprint { digest: sum.finalize().into(), bytes })
    }

    /// Whether it has not been removed.
    pub(crate) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Whether the other one is the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.path == other.path
    }

    /// Removes its files, and those of the copies it took the place of. May be repeated from any point.
    pub(crate) fn remove(&self) -> Result<()> {
        let removed = match self.shape {
            // The database first: SQLite takes no notice of a log or journal without one.
            Shape::Database { .. } => {
                ["", "-journal", "-wal", "-shm"].iter().try_for_each(|suffix| gone(&beside(&self.path, suffix)))
            }
            // The manifest first: without it there is nothing in the folder.
            Shape::Folder => gone(&self.path.join(MANIFEST)).and_then(|()| match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }),
        };
        removed.map_err(|error| Error::io(&error, REMOVING))?;
        self.stale.iter().try_for_each(Self::remove)
    }

    /// The files that hold its content.
    fn files(&self) -> Result<Vec<PathBuf>> {
        match self.shape {
            Shape::Database { .. } => {
                Ok(["", "-journal", "-wal"].iter().map(|suffix| beside(&self.path, suffix)).collect())
            }
            Shape::Folder => {
                let listed = fs::read_dir(&self.path).and_then(|folder| {
                    folder.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
                });
                let mut files = listed.map_err(|error| Error::io(&error, super::WHILE))?;
                files.sort();
                Ok(files)
            }
        }
    }
}

/// A database's companion with this suffix.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Removes a file. One that is not there is gone already.
fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
