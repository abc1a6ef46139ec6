//! The files of one core.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::lock::Lock;
use crate::error::{Error, Problem, Result};

/// Where everything lies.
#[derive(Clone)]
pub(crate) struct Files {
    directory: PathBuf,
    lock: Arc<Lock>,
}

/// Suffixes of the files that SQLite keeps beside a database in WAL mode.
const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];

impl Files {
    /// Makes the directory if it is missing.
    pub(crate) fn in_directory(directory: &str) -> Result<Self> {
        const WHILE: &str = "making the directory";
        let directory = PathBuf::from(directory);
        match fs::create_dir_all(&directory) {
            Ok(()) => {}
            Err(_) if directory.exists() && !directory.is_dir() => {
                return Err(Error::invalid("directory", Problem::Is("is a file")));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists) => {
                return Err(Error::invalid("directory", Problem::Is("lies below a file")));
            }
            Err(error) => return Err(Error::io(&error, WHILE)),
        }
        // One name for one place, however it was written.
        let directory = directory.canonicalize().map_err(|error| Error::io(&error, WHILE))?;
        Ok(Self { lock: Lock::of(&directory), directory })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn main(&self) -> PathBuf {
        self.directory.join("safescan.db")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.join("cache.db")
    }

    /// A repaired database that is still being written; worthless after a kill.
    pub(crate) fn rebuilding(&self) -> PathBuf {
        self.directory.join("safescan.db.rebuilding")
    }

    /// A repaired database that is complete and only has to take its place.
    pub(crate) fn rebuilt(&self) -> PathBuf {
        self.directory.join("safescan.db.rebuilt")
    }

    /// Says that everything is to be erased, and stays until everything is.
    pub(crate) fn erase_mark(&self) -> PathBuf {
        self.directory.join("erase")
    }

    /// Where broken databases are put aside.
    pub(crate) fn quarantine(&self) -> PathBuf {
        self.directory.join("quarantine")
    }

    /// Where an import puts right what it cannot read; worthless after it.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.directory.join("import")
    }

    /// Size of a database with its companions.
    pub(crate) fn size_of(database: &Path) -> u64 {
        companions(database).filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
    }

    /// Removes a database with its companions. What is not there is removed already.
    pub(crate) fn remove(database: &Path) -> io::Result<()> {
        companions(database).try_for_each(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Moves a database with its companions into a folder. What is not there was moved already.
    pub(crate) fn move_into(database: &Path, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        // The companions first: a log without its database is ignored, a database without its log has lost commits.
        companions(database).collect::<Vec<_>>().into_iter().rev().try_for_each(|path| {
            let Some(name) = path.file_name() else { return Ok(()) };
            match fs::rename(&path, folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
    }

    /// Makes renames in the directory last: on some systems a power cut undoes them otherwise.
    pub(crate) fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    /// The lock that keeps other processes away; the same for all that have these files.
    pub(crate) fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }
}

fn companions(database: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    COMPANIONS.iter().map(|suffix| {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    })
}
