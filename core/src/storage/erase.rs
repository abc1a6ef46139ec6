//! Erasing everything, so that a kill in the middle does not leave half of it: a mark is made first and removed last,
//! and whoever finds the mark goes on with the work.

use std::{
    fs::{self, File},
    io,
};

use super::{desk::Desk, files::Files};
use crate::{
    error::{Error, Result},
    log::Level,
};

const WHILE: &str = "erasing";

impl Desk {
    /// Removes every file with data in it and starts anew.
    pub(crate) fn erase_all(&mut self) -> Result<()> {
        self.hold()?;
        self.close();
        self.forget_unsaved();
        self.make_mark().map_err(|error| Error::io(&error, WHILE))?;
        self.finish_erasing()?;
        super::say(&self.surroundings.log, Level::Info, "everything was erased", &[]);
        self.connection().map(drop)
    }

    /// Goes on with erasing where the mark says that it was begun.
    pub(crate) fn finish_erasing(&mut self) -> Result<()> {
        if self.files.erase_mark().exists() {
            remove_all(&self.files).map_err(|error| Error::io(&error, WHILE))?;
        }
        Ok(())
    }

    fn make_mark(&self) -> io::Result<()> {
        File::create(self.files.erase_mark())?.sync_all()?;
        self.files.sync_directory()
    }
}

fn remove_all(files: &Files) -> io::Result<()> {
    for database in [files.main(), files.cache(), files.rebuilding(), files.rebuilt()] {
        Files::remove(&database)?;
    }
    for folder in [files.quarantine(), files.scratch()] {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    // The removals must be on the disk before the mark is gone.
    files.sync_directory()?;
    fs::remove_file(files.erase_mark())?;
    files.sync_directory()
}
