use proptest::prelude::*;

use super::*;

#[track_caller]
fn all_are(kind: QrKind, texts: &[&str]) {
    for text in texts {
        assert_eq!(classify(text), kind, "{text:?}");
        assert_eq!(classify(&format!("\u{feff}\r\n {text}\t\u{feff}\n")), kind, "{text:?} with white space around it");
    }
}

#[test]
fn web_links() {
    all_are(
        QrKind::WebLink,
        &[
            "https://example.com",
            "HTTP://EXAMPLE.COM/A",
            "https:example.com",
            "URLTO:http://example.com",
            "url:www.example.com",
            "www.example.com",
            r"MEBKM:TITLE:Menu;URL:http\://example.com;;",
            "https://id.gs1.example/01/09506000134352/10/ABC",
            "http://192.0.2.7:8080/",
            "http://[not-an-address/",
        ],
    );
}

#[test]
fn app_links() {
    all_are(
        QrKind::AppLink,
        &[
            "myapp://open?text=hello there",
            "market://details?id=test.example",
            "market:details?id=test.example",
            "intent:#Intent;scheme=myapp;end",
            "itms-apps://apps.apple.example/app/id1",
            "tg:resolve?domain=example",
            "whatsapp:send?text=hi",
            "FIDO:/0123456789",
            "ftp://files.example/a",
            "URLTO:myapp://open",
            "web+thing.v2://x",
        ],
    );
}

#[test]
fn what_is_private() {
    all_are(QrKind::Wifi, &["WIFI:T:WPA;S:Guest;P:a b;;", "wifi:S:Open;;", "WIFI: S:Guest;;", "DPP:C:81/1;K:MDkw;;"]);
    all_are(
        QrKind::Contact,
        &[
            "BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD",
            "begin:vcard\nend:vcard",
            "MECARD:N:Doe;;",
            "BIZCARD:N:Jo;X:Doe;;",
        ],
    );
    all_are(QrKind::Otp, &["otpauth://totp/a?secret=JBSWY3DP", "OTPAUTH-MIGRATION://offline?data=Cj"]);
    all_are(
        QrKind::Email,
        &[
            "mailto:a@example.com",
            "mailto: a@example.com",
            "mailto:?subject=Hi",
            "MATMSG:TO:a@example.com;;",
            "SMTP:a@example.com:Hi:There",
            "jo.doe+qr@mail.example",
            "URL:jo@mail.example",
        ],
    );
    all_are(QrKind::Sms, &["sms:+12025550100?body=Hi", "SMSTO:+12025550100:Hi", "sms: 12345", "mms:1", "mmsto:1:a:b"]);
    all_are(
        QrKind::Calendar,
        &["BEGIN:VEVENT\nEND:VEVENT", "BEGIN:VCALENDAR\r\nEND:VCALENDAR", "webcal://example.com/a"],
    );
    all_are(
        QrKind::Location,
        &["geo:52.5,13.4", "GEO:-33.8,151.2?z=9", "geo:0,0?q=Cafe", "google.navigation:q=1,2", "waze://?ll=1,2"],
    );
}

#[test]
fn numbers_money_and_goods() {
    all_are(
        QrKind::Phone,
        &["tel:+1-202-555-0100", "TEL: 2025550100", "tel:(202)5550100", "tel:*100#", "tel:%2B12025550100"],
    );
    all_are(
        QrKind::Payment,
        &[
            "bitcoin:bc1qexample?amount=0.1",
            "BITCOIN:?lno=abc",
            "ethereum:0x00@1/transfer?uint256=1",
            "lightning:LNBC1",
            "LNBC20M1PVJLUEZPP5QQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQF",
            "BCD\n002\n1\nSCT\n\nJo",
            "BCD\r\n001\r\n1\r\nSCT\r\n",
            "SPC\r\n0200\r\n1",
            "upi://pay?pa=shop@example",
            "payto://iban/DE00",
            "SPD*1.0*ACC:CZ00",
            "ST00012|Name=Shop",
            "00020101021126360014br.gov.bcb.pix6304ABCD",
        ],
    );
    all_are(
        QrKind::Product,
        &[
            "(01)09506000134352",
            "(01)09506000134352(17)261231(10)A b",
            "(10)LOT7(01)09506000134352",
            "]d20109506000134352",
            "]Q3\u{1d}0109506000134352",
            "\u{1d}0109506000134352",
            "010950600013435210LOT7\u{1d}17261231",
            "(00)095060001343520001",
        ],
    );
}

#[test]
fn what_only_looks_like_a_format_is_text() {
    all_are(
        QrKind::Text,
        &[
            "",
            "note: buy milk",
            "size:XL",
            "Re:Zero",
            "12:30",
            r"C:\Users",
            "http: the protocol",
            "https://",
            "https://example.com is down",
            "https://example.com\nOpen daily",
            "example.com",
            "See https://example.com",
            "www.",
            "URL: see below",
            "myapp://",
            "TODO:// later",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data:text/html,hi",
            "X-HM://0023ISYWYABCD",
            "LPA:1$smdp.example$ABC",
            "WIFI: ask at the bar",
            "tel: ask at the desk",
            "Tel:",
            "sms: me later",
            "mailto: the boss",
            "geo:graphy",
            "BEGIN:VSOMETHING",
            "BEGIN:VCARDS",
            "bitcoin: to the moon",
            "MEBKM:TITLE:No address;;",
            "mebkm://",
            "BCD\nEFG",
            "SPC\n",
            "BCD\n002\n1\nNOT A TRANSFER",
            "lnbc is a prefix",
            "bc1",
            "lnbcWord",
            "C://dir",
            "000201",
            "(02)95550100",
            "(202) 555-0100",
            "]d2 is a symbol",
            "a@b",
            "@handle",
            "jo doe@mail.example",
            "[)>\u{1e}06\u{1d}",
        ],
    );
}

proptest! {
    #[test]
    fn every_text_has_a_kind(text in any::<String>()) {
        let kind = classify(&text);
        prop_assert_eq!(classify(trimmed(&text)), kind);
    }

    #[test]
    fn cut_anywhere_a_format_still_has_a_kind(
        text in "[ \u{feff}]{0,2}(BEGIN|WIFI|URL|MEBKM|tel|BCD\n00|000201|\\(01\\)|\\]d2|http|é){0,3}[:/;(){}\u{1d}\\\\\n@.0-9a-zé ]{0,24}",
    ) {
        for (at, _) in text.char_indices() {
            let _ = classify(&text[at..]);
            let _ = classify(&text[..at]);
        }
    }
}

/// Megabytes of what the searches look for: one that starts anew at every place would not come back within minutes.
#[test]
fn long_texts_are_no_burden() {
    for part in
        ["URL:", "MEBKM:", ";URL", "(01)", "(01)0950600013435", "\u{1d}", "@", "\\", "6304", "https://", ":", "é"]
    {
        let text = part.repeat(1_000_000 / part.len());
        let _ = classify(&text);
        let _ = classify(&format!("MEBKM:{text}"));
        let _ = classify(&format!("({text}"));
    }
}
