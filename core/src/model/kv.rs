/// A key and the value to store under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvPair {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A key and what was found under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvEntry {
    /// The key.
    pub key: String,
    /// The value; `None` if there is none.
    pub value: Option<String>,
}
