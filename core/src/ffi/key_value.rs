use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{KvEntry, KvPair},
};

/// A key and the value to store under it.
#[uniffi::remote(Record)]
pub struct KvPair {
    /// The key: 1 byte to 1 KiB, no NUL.
    pub key: String,
    /// The value: up to 16 MiB.
    pub value: String,
}

/// A key and what was found under it.
#[uniffi::remote(Record)]
pub struct KvEntry {
    /// The key.
    pub key: String,
    /// The value; none if there is none.
    pub value: Option<String>,
}

/// Key-value data with AsyncStorage's semantics, durable like everything else.
#[uniffi::export]
impl SafeScan {
    /// The value under `key`, or none.
    pub async fn kv_get(&self, key: String) -> Result<Option<String>, SafeScanError> {
        self.run(|core| async move { core.key_value.find(key).await }).await
    }

    /// Stores `value` (up to 16 MiB) under `key` (1 byte to 1 KiB, no NUL), in place of what stood there. When this returns,
    /// it survives a kill and a power cut.
    ///
    /// Fails with `InvalidInput` or `StorageFull`; nothing is changed then.
    pub async fn kv_set(&self, key: String, value: String) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.set_all(vec![KvPair { key, value }]).await }).await
    }

    /// Removes `key`, if it is there.
    pub async fn kv_remove(&self, key: String) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.remove_all(vec![key]).await }).await
    }

    /// The values under up to 10,000 keys, in the same order.
    pub async fn kv_multi_get(&self, keys: Vec<String>) -> Result<Vec<KvEntry>, SafeScanError> {
        self.run(|core| async move { core.key_value.find_all(keys).await }).await
    }

    /// Stores up to 10,000 pairs in one transaction; of two with one key the later stays.
    ///
    /// Fails with `InvalidInput` or `StorageFull`; nothing is changed then.
    pub async fn kv_multi_set(&self, pairs: Vec<KvPair>) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.set_all(pairs).await }).await
    }

    /// Removes up to 10,000 keys in one transaction. Those that are not there are ignored.
    pub async fn kv_multi_remove(&self, keys: Vec<String>) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.remove_all(keys).await }).await
    }

    /// Merges JSON objects into those stored: objects deeply, anything else by replacement; what is not there is stored
    /// as given. Up to 10,000 pairs, in one transaction.
    ///
    /// Fails with `InvalidInput` if a value, or what is stored, is not a JSON object; nothing is changed then.
    pub async fn kv_merge(&self, pairs: Vec<KvPair>) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.merge_all(pairs).await }).await
    }

    /// All keys, in the order of their bytes.
    pub async fn kv_keys(&self) -> Result<Vec<String>, SafeScanError> {
        self.run(|core| async move { core.key_value.keys().await }).await
    }

    /// Removes all key-value data. Scans, votes and settings stay.
    pub async fn kv_clear(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.key_value.clear().await }).await
    }
}
