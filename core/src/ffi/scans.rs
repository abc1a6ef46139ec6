use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{NewScan, QrHash, QrKind, Scan, ScanId, ScanPage, ScanQuery, UnixMillis, Verdict},
};

/// What a code holds, told from its text alone.
#[uniffi::remote(Enum)]
pub enum QrKind {
    /// A web address.
    WebLink,
    /// A link into an app, by a scheme of its own.
    AppLink,
    /// Credentials of a wireless network.
    Wifi,
    /// A visiting card (vCard, MeCard, BizCard).
    Contact,
    /// The secret of a one-time password.
    Otp,
    /// A mail address, or a mail to send.
    Email,
    /// A text message to send.
    Sms,
    /// A telephone number.
    Phone,
    /// A place on the map.
    Location,
    /// An appointment.
    Calendar,
    /// A request for money (bank transfer, cryptocurrency, payment scheme).
    Payment,
    /// A product's number in GS1 element syntax.
    Product,
    /// Anything else.
    Text,
}

/// What the app made of a code.
#[uniffi::remote(Enum)]
pub enum Verdict {
    /// Not judged yet.
    Unknown,
    /// Judged harmless.
    Safe,
    /// Judged doubtful.
    Suspicious,
    /// Judged dangerous.
    Unsafe,
}

/// A scan to be recorded.
#[uniffi::remote(Record)]
pub struct NewScan {
    /// The code's text as scanned: 1 to 4,296 characters, no NUL.
    pub text: String,
    /// What the app made of it; `Unknown` by default.
    #[uniffi(default = None)]
    pub verdict: Option<Verdict>,
    /// When it was scanned; now by default. From 2001-09-09 to a day ahead of the device's clock.
    #[uniffi(default = None)]
    pub scanned_at: Option<UnixMillis>,
    /// Whatever the app wants to keep with it, for example JSON; up to 16 KiB.
    #[uniffi(default = None)]
    pub metadata: Option<String>,
}

/// A recorded scan.
#[uniffi::remote(Record)]
pub struct Scan {
    /// Its id: 16 hexadecimal digits. Ids of later scans are greater.
    pub id: ScanId,
    /// The code's text, as scanned.
    pub text: String,
    /// What the code holds.
    pub kind: QrKind,
    /// What the app made of it.
    pub verdict: Verdict,
    /// When it was scanned.
    pub scanned_at: UnixMillis,
    /// The name under which the code is rated: SHA-256 of its canonical form, 64 hexadecimal digits.
    pub qr_hash: QrHash,
    /// Whatever the app keeps with it.
    pub metadata: Option<String>,
}

/// Which scans are wanted, and how many. All conditions given must hold.
#[uniffi::remote(Record)]
pub struct ScanQuery {
    /// At most so many: 1 to 500.
    #[uniffi(default = 50)]
    pub limit: u32,
    /// `next_cursor` of the page before; the newest scans without it.
    #[uniffi(default = None)]
    pub cursor: Option<String>,
    /// Only scans with this verdict.
    #[uniffi(default = None)]
    pub verdict: Option<Verdict>,
    /// Only codes of this kind.
    #[uniffi(default = None)]
    pub kind: Option<QrKind>,
    /// Only scans made at this time or later.
    #[uniffi(default = None)]
    pub from: Option<UnixMillis>,
    /// Only scans made before this time.
    #[uniffi(default = None)]
    pub until: Option<UnixMillis>,
    /// Only codes whose text contains this; upper and lower case of A to Z are alike.
    #[uniffi(default = None)]
    pub text: Option<String>,
}

/// Scans, newest first.
#[uniffi::remote(Record)]
pub struct ScanPage {
    /// The scans. A page of a filtered query may hold fewer than asked for and still have a successor: one page never
    /// looks at more than 20,000 rows, so that each comes quickly.
    pub scans: Vec<Scan>,
    /// Give it to the next query; none at the end.
    pub next_cursor: Option<String>,
    /// Rows of this page that were left out because they are damaged; `repair` tells more.
    pub withheld: u32,
}

#[uniffi::export]
impl SafeScan {
    /// Records a scan and returns it with its id. When this returns, the scan survives a kill and a power cut.
    ///
    /// Fails with `InvalidInput` or `StorageFull`; nothing is stored then.
    pub async fn record_scan(&self, scan: NewScan) -> Result<Scan, SafeScanError> {
        self.run(|core| async move { core.scans.record(scan).await }).await
    }

    /// Records up to 10,000 scans in one transaction: all of them or, on an error, none. Much cheaper than one by one.
    pub async fn record_scans(&self, scans: Vec<NewScan>) -> Result<Vec<Scan>, SafeScanError> {
        self.run(|core| async move { core.scans.record_all(scans).await }).await
    }

    /// The scan with this id, or none.
    pub async fn scan(&self, id: ScanId) -> Result<Option<Scan>, SafeScanError> {
        self.run(|core| async move { core.scans.find(id).await }).await
    }

    /// A page of the history (1 to 500 scans, by default 50), newest first. As fast at the millionth scan as at the first.
    pub async fn scan_history(&self, query: ScanQuery) -> Result<ScanPage, SafeScanError> {
        self.run(|core| async move { core.scans.page(query).await }).await
    }

    /// Deletes a scan; false if there is none with this id. Votes on the code stay.
    pub async fn delete_scan(&self, id: ScanId) -> Result<bool, SafeScanError> {
        self.run(|core| async move { core.scans.delete(id).await }).await
    }

    /// Deletes the whole history and returns how many scans it had. Votes stay.
    pub async fn clear_history(&self) -> Result<u32, SafeScanError> {
        self.run(|core| async move { core.scans.clear().await }).await
    }
}
