//! Which cores run in this process. The one global of this library, and it must be one: after a reload, a JavaScript side
//! that has forgotten everything opens the same directory again and must find the core that is still there.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::Core;

/// A directory's place. Whoever opens or shuts down holds it, so that neither happens twice at once.
pub(super) type Slot = Arc<tokio::sync::Mutex<Weak<Core>>>;

static SLOTS: Mutex<Option<HashMap<PathBuf, Slot>>> = Mutex::new(None);

/// The place of a directory.
pub(super) fn slot(directory: &Path) -> Slot {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let slots = slots.get_or_insert_default();
    // Places of cores that are gone are not kept for ever.
    slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.try_lock().map_or(true, |core| core.strong_count() > 0));
    Arc::clone(slots.entry(directory.to_owned()).or_default())
}
