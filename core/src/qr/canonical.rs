//! One form for all spellings of the same code.

use std::borrow::Cow;

use url::{Host, Url};

use super::link::{trimmed, web_address};

/// The form of a code's text under which it is rated: the same for all spellings that open the same thing.
///
/// A web link takes the form in which a browser would request it (the WHATWG URL standard): scheme and host in lower
/// case, an international host in Punycode, a numeric host as four decimal numbers, dot segments resolved, default port
/// and fragment gone, and the hexadecimal digits of percent-encodings in upper case (`%c3` and `%C3` are the same byte).
/// Prefixes such as `URLTO:` are resolved, and `www.example.com` becomes `http://www.example.com/`.
///
/// Two parts stay although they are often noise:
///
/// - **User info** (`https://bank.example@lookalike.example/`), because it is part of what deceives.
/// - **The query, as it is.** Nothing tells a tracking parameter from one that picks the page, or from one that is a
///   redirect's target. Dropping too much would lend one page's good name to another; dropping too little only
///   splits a rating, and the host's rating is still shared.
///
/// Any other text, and a link that cannot be parsed, is returned without the white space and byte-order marks around
/// it. Applying the function again changes nothing.
///
/// ```
/// use safescan_core::qr::canonical;
///
/// assert_eq!(canonical("HTTPS://Example.COM:443/a/../b?x=1#top"), "https://example.com/b?x=1");
/// assert_eq!(canonical(" buy milk\n"), "buy milk");
/// ```
#[must_use]
pub fn canonical(text: &str) -> Cow<'_, str> {
    match parsed(text) {
        Some(mut url) => {
            // The fragment never reaches the server, so it cannot change what is served.
            url.set_fragment(None);
            Cow::Owned(with_upper_case_escapes(url.into()))
        }
        None => Cow::Borrowed(trimmed(text)),
    }
}

/// The host of a web link as it is looked up: lower case, Punycode, without port and without a closing dot. An IP address
/// is a host (version 6 in brackets). `None` for whatever is no web link, or has no valid host.
///
/// ```
/// use safescan_core::qr::canonical_host;
///
/// assert_eq!(canonical_host("https://Bücher.example:8443/").as_deref(), Some("xn--bcher-kva.example"));
/// assert_eq!(canonical_host("tel:+12025550100"), None);
/// ```
#[must_use]
pub fn canonical_host(text: &str) -> Option<String> {
    parsed(text)?.host_str().and_then(without_root)
}

/// The canonical form of a host that stands alone; `None` if it is no host.
pub(super) fn host_alone(host: &str) -> Option<String> {
    without_root(&Host::parse(trimmed(host)).ok()?.to_string())
}

fn parsed(text: &str) -> Option<Url> {
    Url::parse(&web_address(text)?).ok()
}

/// `example.com.` and `example.com` are the same host: the closing dot only says that the name is complete. A host with
/// an empty name in it (`example..com`) is accepted by browsers and found by no resolver, hence no host.
fn without_root(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.split('.').all(|name| !name.is_empty()).then(|| host.to_owned())
}

/// The URL standard leaves the digits of escapes as they were written; RFC 3986 (6.2.2.1) makes them upper case.
/// A `%` that begins no escape stays, and no new escape can arise: no character comes or goes.
fn with_upper_case_escapes(mut address: String) -> String {
    let starts: Vec<usize> = address
        .as_bytes()
        .windows(3)
        .enumerate()
        .filter(|(_, w)| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
        .map(|(at, _)| at)
        .collect();
    for at in starts {
        address[at + 1..at + 3].make_ascii_uppercase();
    }
    address
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::QrKind;
    use crate::qr::classify;

    #[test]
    fn spellings_of_one_link_have_one_form() {
        for (text, expected) in [
            ("HTTPS://EXAMPLE.COM/ABC", "https://example.com/ABC"),
            ("\u{feff} https://example.com \r\n", "https://example.com/"),
            ("http://example.com:80/", "http://example.com/"),
            ("https://example.com:8443/", "https://example.com:8443/"),
            ("https://example.com/#menu", "https://example.com/"),
            ("https://example.com/a/./b/%2e%2E/c", "https://example.com/a/c"),
            ("https://example.com/%c3%a9?q=%e2%82%ac%zz%", "https://example.com/%C3%A9?q=%E2%82%AC%zz%"),
            ("https://example.com/é", "https://example.com/%C3%A9"),
            ("https://Bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://example。com/", "https://example.com/"),
            ("https://examp\u{ad}le.com/", "https://example.com/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"),
            (r"https:\\example.com\a\b", "https://example.com/a/b"),
            ("https://example.com/menu card", "https://example.com/menu%20card"),
            ("URLTO:example.com", "http://example.com/"),
            ("www.Example.com/a", "http://www.example.com/a"),
            (r"MEBKM:TITLE:Menu;URL:http\://example.com;;", "http://example.com/"),
        ] {
            assert_eq!(canonical(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_tells_links_apart_stays() {
        for text in [
            "https://example.com@lookalike.example/",
            "https://user:secret@example.com/",
            "https://example.com/?utm_source=poster&id=7&b=&a",
            "https://example.com/?",
            "https://example.com/a/",
            "https://example.com/a//b",
            "https://example.com./",
        ] {
            assert_eq!(canonical(text), text);
        }
        assert_ne!(canonical("http://example.com/"), canonical("https://example.com/"));
    }

    #[test]
    fn other_texts_and_broken_links_are_only_trimmed() {
        for text in ["WIFI:T:WPA;S:A b;P:%c3;;", "Buy  milk", "http://[not-an-address/", "https://exa|mple.com/%c3", ""]
        {
            assert_eq!(canonical(&format!("\u{feff}\t{text}\u{feff}\r\n")), text);
        }
    }

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("https://user@Example.COM.:8443/path", Some("example.com")),
            ("https://example.com @lookalike.example/", Some("lookalike.example")),
            ("https://аррӏе.example", Some("xn--80ak6aa92e.example")),
            ("http://2130706433/", Some("127.0.0.1")),
            ("http://[2001:db8::1]:8080/", Some("[2001:db8::1]")),
            ("www.example.com", Some("www.example.com")),
            ("http://./", None),
            ("http://example../", None),
            ("http://0../", None),
            ("http://[not-an-address/", None),
            ("myapp://example.com/", None),
            ("example.com", None),
        ] {
            assert_eq!(canonical_host(text).as_deref(), expected, "{text}");
        }
        for (host, expected) in [("Bücher.Example.", Some("xn--bcher-kva.example")), ("a b", None), (".", None)] {
            assert_eq!(host_alone(host).as_deref(), expected, "{host}");
        }
    }

    proptest! {
        #[test]
        fn a_second_time_changes_nothing(text in any::<String>()) {
            let once = canonical(&text).into_owned();
            prop_assert_eq!(canonical(&once), once.as_str());
        }

        #[test]
        fn a_second_time_changes_nothing_about_a_link(
            head in "[ \t\u{feff}]{0,2}(URL:|urlto:|MEBKM:URL:)?(https?:|HTTPS:)?[/\\\\]{0,3}(www\\.)?",
            tail in "[a-zA-Zéßİ。а-я0-9.%@:/?#;\\\\\\[\\] |+&=~-]{0,40}",
        ) {
            let text = head + &tail;
            let once = canonical(&text).into_owned();
            prop_assert_eq!(canonical(&once), once.as_str());
            prop_assert_eq!(classify(&once), classify(&text), "the form of {:?} is of its kind", text);
            prop_assert_eq!(canonical_host(&once), canonical_host(&text));
            if let Some(host) = canonical_host(&text) {
                prop_assert_eq!(classify(&text), QrKind::WebLink);
                prop_assert_eq!(host_alone(&host), Some(host));
            }
        }
    }
}
