//! Which storages an app has, and which of them are only stale copies of others.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    folder::MANIFEST,
    origin::{Origin, Shape},
};
use crate::error::{Error, Result};

/// Where to look, and for what.
pub(crate) struct Whereabouts {
    /// The app's own directory.
    pub(crate) app: PathBuf,
    pub(crate) bundle_id: Option<String>,
    /// Only the storage of this name.
    pub(crate) instance: Option<String>,
}

/// Tables of version 3, and of what we rescue.
pub(super) const ENTRIES: &[&str] = &["entries"];
/// A kill between Room's copying and its migration leaves the old table alone.
const ROOM: &[&str] = &["Storage", "catalystLocalStorage"];
const RK: &[&str] = &["catalystLocalStorage"];
/// In `Documents`, the newest way first; the app's last one is the one that was changed last.
const OLD_FOLDERS: [&str; 3] = [FOLDER, "RNCAsyncLocalStorage_V1", "RCTAsyncLocalStorage"];
const FOLDER: &str = "RCTAsyncLocalStorage_V1";

/// Every storage that counts, in the order in which they are taken: what is taken first stays.
pub(crate) fn find(whereabouts: &Whereabouts) -> Result<Vec<Origin>> {
    let databases = whereabouts.app.join("databases");
    let support = whereabouts.app.join("Library/Application Support");
    let bundle = whereabouts.bundle_id.as_ref().map(|bundle| support.join(bundle));
    let mut found = Vec::new();
    for home in [Some(&databases), bundle.as_ref()].into_iter().flatten() {
        found.extend(instances(&home.join("async-storage/databases"), whereabouts.instance.as_deref())?);
    }
    if whereabouts.instance.is_none() {
        found.extend(android(&databases)?);
        let bundled = bundle.map(|bundle| bundle.join(FOLDER));
        found.extend(apple(bundled, &whereabouts.app.join("Documents"))?);
    }
    Ok(found)
}

/// The named storages of version 3.
fn instances(folder: &Path, wanted: Option<&str>) -> Result<Vec<Origin>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        listed => listed.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in listed {
        names.extend(entry.map_err(unreadable)?.file_name().into_string());
    }
    names.retain(|name| wanted.is_none_or(|wanted| wanted == name));
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let file = format!("{}.sqlite", name.strip_suffix('.').unwrap_or(&name));
        let path = folder.join(&name).join(file);
        if exists(&path)? {
            found.push(Origin::new(Shape::Database { tables: ENTRIES }, path, format!("instance {name}")));
        }
    }
    Ok(found)
}

/// Room's database wins: the one before it stays behind as it was on the day of the change.
fn android(databases: &Path) -> Result<Option<Origin>> {
    let database = |name: &str, tables| {
        let path = databases.join(name);
        // One without a byte was never used.
        let used = size(&path)?.is_some_and(|size| size > 0);
        Ok(used.then(|| Origin::new(Shape::Database { tables }, path, name.to_owned())))
    };
    let old = database("RKStorage", RK)?;
    match database("AsyncStorage", ROOM)? {
        Some(room) => Ok(Some(Origin { stale: old.into_iter().collect(), ..room })),
        None => Ok(old),
    }
}

/// What lies in `Application Support` wins; of what was left in `Documents`, what was changed last.
fn apple(bundled: Option<PathBuf>, documents: &Path) -> Result<Option<Origin>> {
    let folder = |path: PathBuf, label: &str| Origin::new(Shape::Folder, path, label.to_owned());
    let mut old: Vec<(SystemTime, Origin)> = Vec::new();
    for name in OLD_FOLDERS {
        let path = documents.join(name);
        if let Some(file) = metadata(&path.join(MANIFEST))? {
            old.push((file.modified().unwrap_or(SystemTime::UNIX_EPOCH), folder(path, name)));
        }
    }
    // Stable: of two that were changed at once, the newer way.
    old.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
    let mut old = old.into_iter().map(|(_, origin)| origin);
    let newest = match bundled {
        Some(path) if exists(&path.join(MANIFEST))? => Some(folder(path, "Application Support")),
        _ => old.next(),
    };
    Ok(newest.map(|newest| Origin { stale: old.collect(), ..newest }))
}

fn exists(path: &Path) -> Result<bool> {
    Ok(metadata(path)?.is_some())
}

fn size(path: &Path) -> Result<Option<u64>> {
    Ok(metadata(path)?.map(|file| file.len()))
}

/// What is not there is nothing; what may not be looked at is an error.
fn metadata(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Err(error) if is_missing(&error) => Ok(None),
        found => found.map(Some).map_err(unreadable),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn unreadable(error: io::Error) -> Error {
    Error::io(&error, super::WHILE)
}
