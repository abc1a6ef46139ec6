use std::sync::Arc;

use serde_json::{Map, Value};

use super::Context;
use crate::{
    error::{Error, Problem, Result},
    limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES, check_batch, check_bytes, check_name},
    model::{Event, KvEntry, KvPair, StoreName},
    storage::{Transaction, key_value},
};

/// Keys named in one event; beyond, it says that anything may have changed.
const NAMED_KEYS: usize = 100;

/// Key-value data with AsyncStorage's semantics.
pub struct KeyValue(pub(crate) Arc<Context>);

impl KeyValue {
    /// The value under `key`.
    ///
    /// # Errors
    /// Invalid input, a damaged value, or the storage cannot be read.
    pub async fn find(&self, key: String) -> Result<Option<String>> {
        Ok(self.find_all(vec![key]).await?.pop().and_then(|entry| entry.value))
    }

    /// The values under `keys`, in the same order.
    ///
    /// # Errors
    /// Invalid input, a damaged value, or the storage cannot be read.
    pub async fn find_all(&self, keys: Vec<String>) -> Result<Vec<KvEntry>> {
        check_keys(&keys)?;
        let read = self.0.read(move |connection| {
            keys.into_iter()
                .map(|key| key_value::find(connection, &key).map(|value| KvEntry { key, value }))
                .collect::<Result<Vec<_>>>()
        });
        let result = read.await;
        if let Err(Error::Damaged { .. }) = result {
            self.0.note_damage(StoreName::KeyValue, 1);
        }
        result
    }

    /// Stores pairs in one transaction.
    ///
    /// # Errors
    /// Invalid input, or no room; nothing is stored then.
    pub async fn set_all(&self, pairs: Vec<KvPair>) -> Result<()> {
        check_pairs(&pairs)?;
        self.0
            .store
            .write(move |tx| {
                for pair in &pairs {
                    tx.set_value(pair)?;
                }
                tx.evict_some()?;
                announce(tx, pairs.into_iter().map(|pair| pair.key).collect());
                Ok(())
            })
            .await
    }

    /// Merges JSON objects into those stored, in one transaction.
    ///
    /// # Errors
    /// Invalid input, also if what is stored is no JSON object; or no room. Nothing is stored then.
    pub async fn merge_all(&self, pairs: Vec<KvPair>) -> Result<()> {
        check_pairs(&pairs)?;
        let pairs = pairs
            .into_iter()
            .map(|pair| parse_object("value", &pair.value).map(|object| (pair, object)))
            .collect::<Result<Vec<_>>>()?;
        self.0
            .store
            .write(move |tx| {
                let mut keys = Vec::with_capacity(pairs.len());
                for (mut pair, update) in pairs {
                    if let Some(stored) = key_value::find(tx.connection, &pair.key)? {
                        let merged = merge(parse_object("stored value", &stored)?, update);
                        pair.value = Value::Object(merged).to_string();
                        check_bytes("merged value", &pair.value, MAX_VALUE_BYTES)?;
                    }
                    tx.set_value(&pair)?;
                    keys.push(pair.key);
                }
                tx.evict_some()?;
                announce(tx, keys);
                Ok(())
            })
            .await
    }

    /// Removes keys in one transaction.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be written.
    pub async fn remove_all(&self, keys: Vec<String>) -> Result<()> {
        check_keys(&keys)?;
        self.0
            .store
            .write(move |tx| {
                let mut removed = Vec::new();
                for key in keys {
                    if tx.remove_value(&key)? {
                        removed.push(key);
                    }
                }
                announce(tx, removed);
                Ok(())
            })
            .await
    }

    /// All keys, in the order of their bytes.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn keys(&self) -> Result<Vec<String>> {
        self.0.read(key_value::keys).await
    }

    /// Removes everything.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn clear(&self) -> Result<()> {
        self.0
            .store
            .write(|tx| {
                if tx.clear_values()? {
                    tx.emit(Event::KeyValueChanged { keys: Vec::new() });
                }
                Ok(())
            })
            .await
    }
}

/// Objects deeply, anything else by replacement. The depth is bounded by the parser's.
fn merge(mut base: Map<String, Value>, update: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in update {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(value)) => *below = merge(std::mem::take(below), value),
            // In its old place: the order of an object's keys is kept.
            (Some(place), value) => *place = value,
            (None, value) => _ = base.insert(key, value),
        }
    }
    base
}

fn parse_object(field: &'static str, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|_| Error::invalid(field, Problem::Is("is not a JSON object")))
}

fn check_keys(keys: &[String]) -> Result<()> {
    check_batch("keys", keys.len())?;
    keys.iter().try_for_each(|key| check_name("key", key, MAX_KEY_BYTES))
}

fn check_pairs(pairs: &[KvPair]) -> Result<()> {
    check_batch("pairs", pairs.len())?;
    pairs.iter().try_for_each(|pair| {
        check_name("key", &pair.key, MAX_KEY_BYTES)?;
        check_bytes("value", &pair.value, MAX_VALUE_BYTES)
    })
}

/// Tells which keys changed, if any did.
pub(super) fn announce(tx: &mut Transaction<'_>, keys: Vec<String>) {
    if !keys.is_empty() {
        tx.emit(Event::KeyValueChanged { keys: if keys.len() > NAMED_KEYS { Vec::new() } else { keys } });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_merge_deeply_and_anything_else_is_replaced() {
        let merged = |base: &str, update: &str| {
            let parse = |text| parse_object("value", text).expect("a JSON object");
            Value::Object(merge(parse(base), parse(update))).to_string()
        };
        assert_eq!(merged(r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"b":{"d":4}}"#), r#"{"a":1,"b":{"c":2,"d":4}}"#);
        assert_eq!(merged(r#"{"z":1,"a":[1,2],"b":2}"#, r#"{"a":[3]}"#), r#"{"z":1,"a":[3],"b":2}"#, "in its place");
        assert_eq!(merged(r#"{"a":{"b":1}}"#, r#"{"a":null}"#), r#"{"a":null}"#);
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":{"b":1}}"#), r#"{"a":{"b":1}}"#);
        assert_eq!(merged(r#"{"x":0.1,"y":1e300}"#, "{}"), r#"{"x":0.1,"y":1e+300}"#);
    }
}
