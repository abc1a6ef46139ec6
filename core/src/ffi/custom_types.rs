//! Values that travel as plain text or numbers and mean something here. What cannot be read is an `InvalidInput` of the
//! call it came with.

use crate::{
    error::{Error, Problem, SafeScanError},
    model::{ByteCount, OperationId, QrHash, ScanId, UnixMillis, VoterId},
};

uniffi::custom_type!(UnixMillis, i64, { lower: |at| at.0, try_lift: |millis| Ok(UnixMillis(millis)) });
uniffi::custom_type!(ByteCount, i64, { lower: |bytes| bytes.0, try_lift: |bytes| Ok(ByteCount(bytes)) });

uniffi::custom_type!(QrHash, String, {
    lower: |id| id.to_string(),
    try_lift: |text| QrHash::parse(&text).ok_or_else(|| no_id("qr_hash", "is not 64 hexadecimal digits")),
});
uniffi::custom_type!(VoterId, String, {
    lower: |id| id.to_string(),
    try_lift: |text| VoterId::parse(&text).ok_or_else(|| no_id("voter_id", "is not 32 hexadecimal digits")),
});
uniffi::custom_type!(ScanId, String, {
    lower: |id| id.to_string(),
    try_lift: |text| ScanId::parse(&text).ok_or_else(|| no_id("scan_id", "is not 16 hexadecimal digits")),
});
uniffi::custom_type!(OperationId, String, {
    lower: |id| id.to_string(),
    try_lift: |text| OperationId::parse(&text).ok_or_else(|| no_id("operation_id", "is no UUID")),
});

fn no_id(field: &'static str, sentence: &'static str) -> uniffi::deps::anyhow::Error {
    let (_, told): (_, SafeScanError) = Error::invalid(field, Problem::Is(sentence)).report();
    told.into()
}
