use super::{QrHash, ScanId, UnixMillis};

/// What a code holds, told from its text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Not judged yet.
    #[default]
    Unknown,
    /// Judged harmless.
    Safe,
    /// Judged doubtful.
    Suspicious,
    /// Judged dangerous.
    Unsafe,
}

/// A scan to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewScan {
    /// The code's text, as scanned.
    pub text: String,
    /// What the app made of it; [`Verdict::Unknown`], if not given.
    pub verdict: Option<Verdict>,
    /// When it was scanned; now, if not given.
    pub scanned_at: Option<UnixMillis>,
    /// Whatever the app wants to keep with it.
    pub metadata: Option<String>,
}

impl NewScan {
    /// A scan made now, not judged yet.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), verdict: None, scanned_at: None, metadata: None }
    }
}

/// A recorded scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// Its name.
    pub id: ScanId,
    /// The code's text, as scanned.
    pub text: String,
    /// What the code holds.
    pub kind: QrKind,
    /// What the app made of it.
    pub verdict: Verdict,
    /// When it was scanned.
    pub scanned_at: UnixMillis,
    /// The name under which the code is rated.
    pub qr_hash: QrHash,
    /// Whatever the app keeps with it.
    pub metadata: Option<String>,
}

/// Which scans, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanQuery {
    /// At most so many.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Only scans judged so.
    pub verdict: Option<Verdict>,
    /// Only codes of this kind.
    pub kind: Option<QrKind>,
    /// Not older than this.
    pub from: Option<UnixMillis>,
    /// Older than this.
    pub until: Option<UnixMillis>,
    /// Only codes whose text contains this.
    pub text: Option<String>,
}

impl Default for ScanQuery {
    fn default() -> Self {
        Self { limit: 50, cursor: None, verdict: None, kind: None, from: None, until: None, text: None }
    }
}

/// Scans, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanPage {
    /// The scans.
    pub scans: Vec<Scan>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
    /// Rows that were left out because they are damaged.
    pub withheld: u32,
}
