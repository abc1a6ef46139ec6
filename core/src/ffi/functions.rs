use crate::{
    error::SafeScanError,
    limits,
    model::{QrHash, QrKind},
    qr,
};

/// The name under which a code is rated: SHA-256 of its canonical form, as 64 hexadecimal digits. Codes that differ only
/// in how a web link is written (case of the host, default port, fragment) share it.
///
/// A hash is not anonymity: whoever has a list of links can hash them all and compare.
#[uniffi::export]
pub fn hash_qr_data(text: String) -> Result<QrHash, SafeScanError> {
    checked(&text)?;
    Ok(qr::hash_text(&text))
}

/// What a code holds, told from its text alone.
#[uniffi::export]
pub fn classify_qr(text: String) -> Result<QrKind, SafeScanError> {
    checked(&text)?;
    Ok(qr::classify(&text))
}

/// The canonical form of a code's text: for web links the one that browsers use, without the fragment; for others the
/// text without surrounding white space.
#[uniffi::export]
pub fn canonical_qr(text: String) -> Result<String, SafeScanError> {
    checked(&text)?;
    Ok(qr::canonical(&text).into())
}

/// The version of this library.
#[uniffi::export]
pub fn core_version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

fn checked(text: &str) -> Result<(), SafeScanError> {
    limits::check_qr_text(text).map_err(|error| error.report().1)
}
