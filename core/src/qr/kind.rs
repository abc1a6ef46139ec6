//! What a text holds, told by the formats that generators of codes really use.

use super::link::{after, trimmed, unwrapped, web_address};
use crate::model::QrKind;

/// Tells what a code holds from its text. Every text has a kind; what fits no format is [`QrKind::Text`].
///
/// White space and byte-order marks around the text do not count, nor does the case of schemes and keywords. A scheme
/// alone is not enough: `note: buy milk`, `tel: ask at the desk` and `http: the protocol` are texts. A scheme that
/// belongs to a format has to be followed by what the format asks for. Any other makes an app link if `//` follows
/// (`myapp://open`), or if it is one of those in use without slashes (`market:`, `tg:`); otherwise `size:XL` would be one.
///
/// `javascript:` and `data:` are texts: they carry content and lead into no app, and must not be opened as a link. So
/// is the pairing code of a home device (`X-HM://`), which is a secret.
///
/// It looks at each character a fixed number of times, whatever the text.
///
/// ```
/// use safescan_core::{model::QrKind, qr::classify};
///
/// assert_eq!(classify("HTTPS://EXAMPLE.COM"), QrKind::WebLink);
/// assert_eq!(classify("WIFI:T:WPA;S:Guest;P:secret;;"), QrKind::Wifi);
/// assert_eq!(classify("note: buy milk"), QrKind::Text);
/// ```
#[must_use]
pub fn classify(text: &str) -> QrKind {
    let text = trimmed(text);
    if web_address(text).is_some() {
        return QrKind::WebLink;
    }
    let inner = unwrapped(text);
    let text = inner.as_deref().unwrap_or(text);
    if is_payment_record(text) {
        QrKind::Payment
    } else if is_element_string(text) {
        QrKind::Product
    } else if let Some((scheme, rest)) = scheme(text) {
        by_scheme(&scheme.to_ascii_lowercase(), rest)
    } else if is_mail_address(text) {
        QrKind::Email
    } else {
        QrKind::Text
    }
}

/// Schemes in use without slashes after them. Those that also are everyday words are left out.
const APP_SCHEMES: [&str; 21] = [
    "android-app",
    "facetime",
    "facetime-audio",
    "fido",
    "intent",
    "itms",
    "itms-apps",
    "itms-appss",
    "magnet",
    "market",
    "matrix",
    "ms-settings",
    "nostr",
    "sip",
    "sips",
    "skype",
    "spotify",
    "tg",
    "wc",
    "whatsapp",
    "xmpp",
];

/// Characters with which a dialled number begins; `%` because some generators encode the plus sign.
const DIAL: [char; 5] = ['+', '*', '#', '(', '%'];

fn by_scheme(scheme: &str, rest: &str) -> QrKind {
    let filled = !rest.is_empty() && !rest.starts_with(char::is_whitespace);
    let (kind, fits) = match scheme {
        "wifi" | "dpp" => (QrKind::Wifi, has_field(rest)),
        "mecard" | "bizcard" => (QrKind::Contact, has_field(rest)),
        "begin" => return by_component(rest),
        "otpauth" | "otpauth-migration" => (QrKind::Otp, filled),
        "matmsg" => (QrKind::Email, has_field(rest)),
        "mailto" | "smtp" => (QrKind::Email, filled || rest.contains('@')),
        "sms" | "smsto" | "mms" | "mmsto" => (QrKind::Sms, filled || is_dialled(rest)),
        "tel" | "telprompt" => (QrKind::Phone, is_dialled(rest)),
        "geo" => (QrKind::Location, rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))),
        "amapuri"
        | "androidamap"
        | "baidumap"
        | "bingmaps"
        | "comgooglemaps"
        | "comgooglemaps-x-callback"
        | "google.navigation"
        | "google.streetview"
        | "here-location"
        | "here-route"
        | "iosamap"
        | "maps"
        | "om"
        | "waze"
        | "yandexmaps"
        | "yandexnavi" => (QrKind::Location, filled),
        "webcal" | "webcals" => (QrKind::Calendar, filled),
        "algorand" | "bank" | "bitcoin" | "bitcoincash" | "cardano" | "dash" | "dogecoin" | "ethereum" | "ecash"
        | "lightning" | "litecoin" | "lnurl" | "lnurlp" | "lnurlw" | "monero" | "nano" | "payto" | "pix"
        | "polkadot" | "ripple" | "solana" | "stellar" | "swish" | "tezos" | "ton" | "tron" | "upi" | "web+cardano"
        | "web+stellar" | "wxp" | "xrpl" | "zcash" => (QrKind::Payment, filled),
        // Content rather than an address; a home device's pairing secret; and web schemes, which come here only if they
        // lead to no host.
        "data" | "javascript" | "vbscript" | "x-hm" | "http" | "https" | "mebkm" => return QrKind::Text,
        other if APP_SCHEMES.contains(&other) => (QrKind::AppLink, filled),
        _ => (
            QrKind::AppLink,
            rest.strip_prefix("//").is_some_and(|r| !r.is_empty() && !r.starts_with(char::is_whitespace)),
        ),
    };
    if fits { kind } else { QrKind::Text }
}

fn by_component(rest: &str) -> QrKind {
    let name = rest.lines().next().unwrap_or_default().trim();
    let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n));
    if is(&["VCARD"]) {
        QrKind::Contact
    } else if is(&["VCALENDAR", "VEVENT", "VTODO"]) {
        QrKind::Calendar
    } else {
        QrKind::Text
    }
}

/// Scheme and rest. One letter is no scheme: `C:\Users` and `a: first` are none.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    valid.then_some((scheme, rest))
}

/// Whether a field (`S:`, `ADR:`, `TEL-AV:`) comes first.
fn has_field(rest: &str) -> bool {
    rest.trim_start().split_once(':').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

fn is_dialled(rest: &str) -> bool {
    let number = rest.trim_start().trim_start_matches('/');
    number.starts_with(|c: char| c.is_ascii_digit() || DIAL.contains(&c))
        && number.contains(|c: char| c.is_ascii_digit())
}

/// An address without `mailto:`, as many cards carry it.
fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c))
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && domain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c) || (!c.is_ascii() && !c.is_whitespace()))
}

/// Requests for money that are records of their own rather than links.
fn is_payment_record(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end);
    match lines.next().unwrap_or_default() {
        // European transfer: service, version, character set, kind of transfer.
        "BCD" => {
            let version = lines.next().is_some_and(|v| v.len() == 3 && v.starts_with("00"));
            return version && matches!(lines.nth(1), Some("SCT" | "INST"));
        }
        // Swiss QR-bill: kind, version.
        "SPC" => return lines.next().is_some_and(|v| v.len() == 4 && v.bytes().all(|b| b.is_ascii_digit())),
        // Hungarian, Slovenian and Croatian transfers.
        "HCT" => return lines.next().is_some_and(|v| v.len() == 3 && v.bytes().all(|b| b.is_ascii_digit())),
        "UPNQR" | "HRVHUB30" => return lines.next().is_some(),
        _ => {}
    }
    // Czech and Slovak, Russian, Serbian transfers.
    let tagged = ["SPD*1", "ST0001", "K:PR|V:01|"].iter().any(|tag| text.starts_with(tag));
    // EMVCo: begins with version 01 and has a checksum (tag 63, length 04). This is also what Pix, PromptPay, PayNow,
    // QRIS and their like are made of.
    let merchant = text.strip_prefix("000201").is_some_and(|rest| rest.contains("6304"));
    tagged || merchant || is_bech32_payment(text)
}

/// A Lightning invoice, offer or request, or a `SegWit` address, without a scheme. The shortest of them, an address, has
/// 42 characters; a shorter word that begins so is a word.
fn is_bech32_payment(text: &str) -> bool {
    ["lnbc", "lntb", "lno1", "lnurl1", "bc1", "tb1", "ltc1"].iter().any(|tag| after(text, tag).is_some())
        && text.len() >= 42
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// GS1 element syntax: as sent by a scanner (symbology identifier, or the separator that stands for FNC1), or as printed
/// below the code (identifiers in brackets). Bracketed area codes are no identifiers, so the number is checked.
fn is_element_string(text: &str) -> bool {
    const SEPARATOR: char = '\u{1d}';
    /// Application identifiers that name a thing, and how many digits follow at least.
    const KEYS: [(&str, usize); 11] = [
        ("(00)", 18),
        ("(01)", 14),
        ("(02)", 14),
        ("(253)", 13),
        ("(255)", 13),
        ("(402)", 17),
        ("(414)", 13),
        ("(8003)", 14),
        ("(8006)", 18),
        ("(8017)", 18),
        ("(8018)", 18),
    ];
    let digits = |s: &str, n: usize| s.len() >= n && s.bytes().take(n).all(|b| b.is_ascii_digit());
    let identified = ["]d2", "]Q3", "]C1", "]e0"]
        .iter()
        .any(|id| text.strip_prefix(id).is_some_and(|rest| digits(rest.trim_start_matches(SEPARATOR), 2)));
    let separated = text.contains(SEPARATOR) && digits(text.trim_start_matches(SEPARATOR), 2);
    // The key may follow other identifiers: lot and expiry are printed first at times.
    let printed = text.starts_with('(')
        && KEYS.iter().any(|(key, n)| text.match_indices(key).any(|(at, _)| digits(&text[at + key.len()..], *n)));
    identified || separated || printed
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
