//! When a text is a web link, and which address it stands for. Shared by [`classify`](super::classify) and
//! [`canonical`](super::canonical), so that the two cannot disagree.

use std::borrow::Cow;

/// The text without the white space and byte-order marks that printers and generators leave around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}')
}

/// What follows the prefix, written in whatever case.
pub(super) fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// The content of a bookmark (`URL:`, `URLTO:`, `MEBKM:`); `None` if the text is none. Takes a trimmed text.
pub(super) fn unwrapped(text: &str) -> Option<Cow<'_, str>> {
    if let Some(fields) = after(text, "MEBKM:") {
        return bookmark_address(fields).map(Cow::Owned);
    }
    let mut inner = text;
    // Generators that are fed their own output stack the prefix.
    while let Some(rest) = after(inner, "URLTO:").or_else(|| after(inner, "URL:")) {
        inner = trimmed(rest);
    }
    (inner.len() < text.len()).then_some(Cow::Borrowed(inner))
}

/// The address to hand to a parser of URLs, with a scheme; `None` if the text is no web link.
///
/// A link is one line. Readers disagree about what a text of several lines opens (a browser joins the lines, a detector
/// of links stops at the first), so no single address could name it; the same goes for other control characters.
/// Blanks are allowed except in the host: links with blanks in path or query are in use, and a blank before an `@` is
/// a known way to make a host look like another.
pub(super) fn web_address(text: &str) -> Option<Cow<'_, str>> {
    let text = trimmed(text);
    if text.contains(char::is_control) {
        return None;
    }
    match unwrapped(text) {
        // The prefix says that an address follows, so its scheme may be missing.
        Some(inner) if has_web_scheme(&inner) => Some(inner),
        Some(inner) if is_bare_address(&inner) => Some(Cow::Owned(format!("http://{inner}"))),
        Some(_) => None,
        None if has_web_scheme(text) => Some(Cow::Borrowed(text)),
        // Without a prefix only `www.` tells an address from a sentence without a blank after its full stop. A single
        // name after it (`www.example`) is no host in use.
        None if after(text, "www.").is_some_and(is_bare_address) => Some(Cow::Owned(format!("http://{text}"))),
        None => None,
    }
}

/// Whether the text is `http:` or `https:` and a host. Slashes may be missing, doubled or turned: browsers forgive that.
fn has_web_scheme(text: &str) -> bool {
    let Some(rest) = after(text, "https:").or_else(|| after(text, "http:")) else {
        return false;
    };
    let authority = authority(rest.trim_start_matches(['/', '\\']));
    let host = authority.rsplit('@').next().unwrap_or_default();
    !host.is_empty() && !host.contains(char::is_whitespace)
}

/// Whether the text is an address without a scheme: a host of two names or more, perhaps a port, perhaps a path.
fn is_bare_address(text: &str) -> bool {
    let authority = authority(text);
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    host.contains('.')
        && host.contains(char::is_alphanumeric)
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._%".contains(c) || (!c.is_ascii() && !c.is_whitespace()))
        && port.bytes().all(|b| b.is_ascii_digit())
}

fn authority(text: &str) -> &str {
    text.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

/// The `URL` field of a bookmark, its backslashes resolved.
fn bookmark_address(fields: &str) -> Option<String> {
    let mut field = String::new();
    let mut chars = fields.chars();
    loop {
        match chars.next() {
            Some('\\') => field.extend(chars.next()),
            Some(';') | None if after(trimmed(&field), "URL:").is_some() => {
                return after(trimmed(&field), "URL:").map(|address| trimmed(address).to_owned());
            }
            Some(';') => field.clear(),
            Some(c) => field.push(c),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<String> {
        web_address(text).map(Cow::into_owned)
    }

    #[test]
    fn wrappers_are_taken_off() {
        for (text, inner) in [
            ("URLTO:http://example.com", "http://example.com"),
            ("urlto: example.com/menu", "http://example.com/menu"),
            ("URL:URLTO:www.example.com", "http://www.example.com"),
            (r"MEBKM:TITLE:A\;URL:no;URL:http\://example.com/a\;b;;", "http://example.com/a;b"),
            ("MEBKM:URL:example.com;TITLE:Menu;;", "http://example.com"),
            ("MEBKM:TITLE:Open end;URL:http://example.com", "http://example.com"),
            ("WWW.example.com:8080/a b", "http://WWW.example.com:8080/a b"),
        ] {
            assert_eq!(address(text).as_deref(), Some(inner), "{text}");
        }
        for text in
            ["URL: see below", "URL:", "URL:tel:+1.202", "MEBKM:TITLE:Only a title;;", "MEBKM:", "URL:a@b.example"]
        {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_has_no_blank_but_what_stands_around_it_may() {
        for (text, expected) in [
            ("https://example.com/menu card.pdf", true),
            ("https://example.com @lookalike.example/", true),
            ("https:example.com", true),
            (r"https:\\example.com\path", true),
            ("https:////example.com", true),
            ("https://example.com is down", false),
            ("http: the protocol", false),
            ("https://", false),
            ("https:///?q=1", false),
            ("https://example.com/\nOpen daily", false),
            ("https://exam\tple.com", false),
            ("www.example", false),
            ("www.is that. so", false),
            ("www...", false),
            ("httpsx://example.com", false),
        ] {
            assert_eq!(address(text).is_some(), expected, "{text:?}");
        }
    }
}
