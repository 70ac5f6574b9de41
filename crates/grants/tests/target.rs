//! Targets: what is refused and why, and that credentials go only where the page says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_grants::{Credentials, ResponseMode, Target};
use url::Url;

const CREDENTIALS: Credentials<'_> = Credentials {
    client_id: "local/ann/notes.example.com/Ab3_",
    access_token: "tok-AB_c",
    certificate: r#"{"version":1,"scopes":["assume:grant:x y"]}"#,
};
const PARAMETERS: &str = "clientId=local%2Fann%2Fnotes.example.com%2FAb3_&accessToken=tok-AB_c\
    &certificate=%7B%22version%22%3A1%2C%22scopes%22%3A%5B%22assume%3Agrant%3Ax%20y%22%5D%7D";

#[test]
fn what_is_exact_is_a_target() {
    for (text, href, origin, registrable) in [
        ("https://notes.example.com/cb", "", "https://notes.example.com", Some("example.com")),
        ("https://example.co.uk", "https://example.co.uk/", "https://example.co.uk", Some("example.co.uk")),
        ("https://a.b.example.co.uk/", "", "https://a.b.example.co.uk", Some("example.co.uk")),
        ("https://co.uk/", "", "https://co.uk", None),
        ("https://ann.github.io/", "", "https://ann.github.io", Some("ann.github.io")),
        ("https://app.example:8443/x?y=1#/z", "", "https://app.example:8443", Some("app.example")),
        // With the scheme's own port: a registered target of the original. Browsers leave it out, so the page does.
        (
            "https://treeherder.example:443/#/login",
            "https://treeherder.example/#/login",
            "https://treeherder.example",
            Some("treeherder.example"),
        ),
        ("http://localhost:80/x", "http://localhost/x", "http://localhost", None),
        ("https://h.example:80/", "", "https://h.example:80", Some("h.example")),
        ("https://my_svc.example/?clientid=1&my-certificate=2#/clientId", "", "https://my_svc.example", Some("my_svc.example")),
        ("https://app.example?y=1", "https://app.example/?y=1", "https://app.example", Some("app.example")),
        ("https://app.example#f", "https://app.example/#f", "https://app.example", Some("app.example")),
        ("https://xn--bcher-kva.example/", "", "https://xn--bcher-kva.example", Some("xn--bcher-kva.example")),
        ("https://192.0.2.7/", "", "https://192.0.2.7", None),
        ("https://[2001:db8::1]:444/", "", "https://[2001:db8::1]:444", None),
        ("http://localhost:8080/", "", "http://localhost:8080", None),
        ("http://app.localhost/", "", "http://app.localhost", None),
        ("http://127.0.0.1:1/", "", "http://127.0.0.1:1", None),
        ("http://127.255.0.9/", "", "http://127.255.0.9", None),
        ("http://[::1]:99/", "", "http://[::1]:99", None),
        ("https://intranet/", "", "https://intranet", None),
        // Only percent-encoding differs: that is what the page shows and the browser sends.
        ("https://h.example/é\"?'", "https://h.example/%C3%A9%22?%27", "https://h.example", Some("h.example")),
        ("https://h.example/%7Ea%2fb", "", "https://h.example", Some("h.example")),
    ] {
        let target = Target::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(target.href(), if href.is_empty() { text } else { href }, "{text}");
        assert_eq!(target.origin(), origin, "{text}");
        assert_eq!(target.registrable_domain(), registrable, "{text}");
        assert_eq!(target.is_loopback(), origin.starts_with("http:"), "{text}");
        if let Some(domain) = registrable {
            assert!(target.host().ends_with(domain), "{text}");
        }
    }
}

#[test]
fn what_reads_otherwise_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", "must begin with https://"),
        ("notes.example.com", "must begin with https://"),
        ("//notes.example.com/", "must begin with https://"),
        ("HTTPS://notes.example.com/", "in lower case"),
        ("ftp://localhost/", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("httpx://localhost/", "must begin with https://"),
        ("https:/notes.example.com/", "must begin with https://"),
        ("http:localhost", "must begin with https://"),
        ("http://notes.example.com/", "not a loopback host"),
        ("http://localhost.example.com/", "not a loopback host"),
        ("http://notlocalhost/", "not a loopback host"),
        ("http://128.0.0.1/", "not a loopback host"),
        ("http://[::2]/", "not a loopback host"),
        ("http://[::ffff:127.0.0.1]/", "a browser reads it as [::ffff:7f00:1]"),
        ("https://user@h.example/", "user name or password"),
        ("https://h.example:p@evil.example/", "user name or password"),
        ("https://@h.example/", "user name or password"),
        ("https://h.example\\@evil.example/", "backslash"),
        ("https://h.example/\\evil", "backslash"),
        ("https://h.example/a b", "white space"),
        (" https://h.example/", "white space"),
        ("https://h.example/\u{a0}", "white space"),
        ("https://h.example/\u{2028}", "white space"),
        ("https://h.ex\tample/", "control character"),
        ("https://h.example/\n", "control character"),
        ("https://h.example/\u{0}", "control character"),
        ("https://h.example/\u{7f}", "control character"),
        ("https://h.example/\u{85}", "control character"),
        ("https:///x", "no host"),
        ("https://?x", "no host"),
        ("https://#x", "no host"),
        ("https://a..example/", "no host, or an empty part"),
        ("https://.example/", "no host, or an empty part"),
        ("https://H.example/", "in lower case, h.example"),
        ("https://h.example./", "dot at the end"),
        ("https://h%2eexample/", "percent-encoded"),
        ("https://%68.example/", "percent-encoded"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://h.example\u{3002}com/", "h.example.com"),
        ("https://ｈ.example/", "h.example"),
        ("https://h\u{ad}.example/", "h.example"),
        ("https://xn--a/", "not a URL"),
        ("https://127.1/", "a browser reads it as 127.0.0.1"),
        ("https://0x7f.0.0.1/", "a browser reads it as 127.0.0.1"),
        ("https://0177.0.0.1/", "a browser reads it as 127.0.0.1"),
        ("https://2130706433/", "a browser reads it as 127.0.0.1"),
        ("https://0x7f000001/", "a browser reads it as 127.0.0.1"),
        ("http://127.1/", "a browser reads it as 127.0.0.1"),
        ("https://256.0.0.1/", "not a URL"),
        ("https://1.2.3.4.5/", "not a URL"),
        ("https://a.0x1/", "not a URL"),
        ("https://[::1%25eth0]/", "zone"),
        ("https://[0:0:0:0:0:0:0:1]/", "a browser reads it as [::1]"),
        ("https://[::1/", "not a URL"),
        ("https://[]/", "not a URL"),
        ("https://::1/", "not a URL"),
        ("https://h<.example/", "not a URL"),
        ("https://h^.example/", "not a URL"),
        ("https://h.example:/", "leave the colon out"),
        ("https://h.example:0443/", "without leading zeros"),
        ("https://a*b.example/", "has no `*`"),
        ("https://*.example/", "has no `*`"),
        ("https://a!b.example/", "has no `!`"),
        ("https://a'b.example/", "has no `'`"),
        ("https://a$b,c.example/", "has no `$`"),
        ("https://h.example/?clientId=x", "carries `clientId` already"),
        ("https://h.example/?a=1&accessToken", "carries `accessToken` already"),
        ("https://h.example/?certificat%65=%7B%7D", "carries `certificate` already"),
        ("https://h.example/#clientId=x", "carries `clientId` already"),
        ("https://h.example/#/login?x=1&accessToken=y", "carries `accessToken` already"),
        ("https://h.example:080/", "without leading zeros"),
        ("https://h.example:0/", "1 to 65535"),
        ("https://h.example:65536/", "1 to 65535"),
        ("https://h.example:99999999999999999999/", "1 to 65535"),
        ("https://h.example:8x/", "decimal number"),
        ("https://h.example:+8/", "decimal number"),
        ("https://h.example:８/", "decimal number"),
        ("https://h.example/a/../b", "would go to https://h.example/b"),
        ("https://h.example/./", "would go to https://h.example/"),
        ("https://h.example/%2e%2E/b", "would go to https://h.example/b"),
    ] {
        let error = Target::parse(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let long = format!("https://h.example/{}", "a".repeat(2031));
    assert_eq!(Target::parse(&long).unwrap_err().to_string(), "The target is longer than 2048 bytes.");
    assert!(Target::parse(&long[..2048]).is_ok());
    let label = format!("https://{}.example/", "a".repeat(64));
    assert!(Target::parse(&label).unwrap_err().to_string().contains("longer than a host name"));
}

#[test]
fn punycode_is_shown_with_its_meaning() {
    let parse = |text: &str| Target::parse(text).unwrap();
    assert_eq!(parse("https://xn--bcher-kva.example/").unicode_host(), Some("bücher.example"));
    assert_eq!(parse("https://notes.example.com/").unicode_host(), None);
    assert_eq!(parse("https://[::1]/").unicode_host(), None);
}

#[test]
fn credentials_stand_where_the_site_expects_them() {
    use ResponseMode::{Fragment, Query};
    for (text, mode, head) in [
        ("https://h.example", Query, "https://h.example/?"),
        ("https://h.example/cb", Query, "https://h.example/cb?"),
        ("https://h.example/cb?", Query, "https://h.example/cb?"),
        ("https://h.example/cb?a=1", Query, "https://h.example/cb?a=1&"),
        ("https://h.example/cb?a=1&", Query, "https://h.example/cb?a=1&"),
        ("https://h.example/cb#", Query, "https://h.example/cb#?"),
        ("https://h.example/cb#/login", Query, "https://h.example/cb#/login?"),
        ("https://h.example/cb#/login?b=2", Query, "https://h.example/cb#/login?b=2&"),
        ("https://h.example/cb?a=1#/login", Query, "https://h.example/cb?a=1#/login?"),
        ("https://h.example", Fragment, "https://h.example/#"),
        ("https://h.example/cb?a=1", Fragment, "https://h.example/cb?a=1#"),
        ("https://h.example/cb#", Fragment, "https://h.example/cb#"),
        ("https://h.example/cb#/login", Fragment, "https://h.example/cb#/login?"),
        ("https://h.example/cb#/login?b=2", Fragment, "https://h.example/cb#/login?b=2&"),
    ] {
        let location = Target::parse(text).unwrap().deliver(mode, &CREDENTIALS);
        assert_eq!(location, format!("{head}{PARAMETERS}"), "{text}");
    }
}

/// The rule behind all of it: over URLs made of everything that has ever confused a parser, an accepted target's delivery goes to the very
/// scheme, host, port and path that the page shows.
#[test]
fn nothing_is_delivered_to_another_origin_than_is_shown() {
    const SCHEMES: &[&str] = &[
        "https://",
        "https://",
        "https://",
        "http://",
        "https:",
        "https:/",
        "https:\\\\",
        "HTTPS://",
        "https:///",
        "javascript://",
        "https://https://",
        "\thttps://",
    ];
    const HOSTS: &[&str] = &[
        "notes.example.com",
        "evil.example",
        "localhost",
        "app.localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:1.2.3.4]",
        "[2001:db8::1]",
        "1.2.3",
        "bücher.example",
        "xn--bcher-kva.example",
        "xn--80ak6aa92e.com",
        "ｅvil.example",
        "notes.example.com.",
        "NOTES.example.com",
        "notes%2eexample.com",
        "notes.example.com%00",
        "a_b.example",
        "-a.example",
        "a--b.example",
        "notes.example。com",
        "ß.example",
        "İ.example",
        "example",
        "1e3",
        "0",
        "256.256.256.256",
        "a.1",
        "☃.example",
        "xn--n3h.example",
    ];
    const GLUE: &[&str] = &[
        "",
        "",
        "",
        "",
        "",
        "@",
        ":@",
        "@evil.example",
        "\\",
        "\\@",
        ":443",
        ":80",
        ":8443",
        ":",
        ":0",
        ":65536",
        "%40evil.example",
        "#@",
        "?@",
        "/@",
        ".",
        "..",
        "\u{0}",
        "\t",
        "\u{200d}",
        "\u{ad}",
        ";",
        ":443@evil.example",
        ":8443\\.evil.example",
    ];
    const TAILS: &[&str] = &[
        "",
        "",
        "/",
        "/cb",
        "/a/../b",
        "/%2e%2e/",
        "//evil.example/",
        "/\\evil.example",
        "?a=1",
        "?a=1&",
        "?",
        "/?//evil.example",
        "#",
        "#/login",
        "#/login?x=1",
        "/cb?next=https://evil.example/#@evil.example",
        "/é",
        "/a b",
        "/a\nb",
        "/%",
        "/%zz",
        "/'\"<>`{}|^",
        "?'\"<>",
        "#`<>\"",
        "/;jsessionid=1",
        "/@evil.example",
        "/:8443",
        "/%5cevil.example",
        "/..;/x",
        "#?",
        "?#",
        "/*~!()",
        "/+",
    ];
    let mut state: u64 = 0x5DEE_CE66;
    let mut draw = |below: usize| -> usize {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..60_000 {
        // One trick at a time more often than all at once: only what is nearly right is interesting.
        let scheme = if draw(4) == 0 { SCHEMES[draw(SCHEMES.len())] } else { "https://" };
        let mut glue = || if draw(4) == 0 { GLUE[draw(GLUE.len())] } else { "" };
        let (before, after) = (glue(), glue());
        let text = format!("{scheme}{before}{}{after}{}", HOSTS[draw(HOSTS.len())], TAILS[draw(TAILS.len())]);
        let Ok(target) = Target::parse(&text) else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let mode = if round % 2 == 0 { ResponseMode::Query } else { ResponseMode::Fragment };
        let delivered = Url::parse(&target.deliver(mode, &CREDENTIALS)).unwrap();
        let shown = Url::parse(target.href()).unwrap();
        assert_eq!(delivered.scheme(), target.scheme(), "{text}");
        assert_eq!(delivered.host_str(), Some(target.host()), "{text}");
        assert_eq!(delivered.port(), target.port(), "{text}");
        assert_eq!(delivered.path(), shown.path(), "{text}");
        assert_eq!(delivered.origin().ascii_serialization(), target.origin(), "{text}");
        assert!(delivered.username().is_empty() && delivered.password().is_none(), "{text}");
        // What the text says with bare eyes, too.
        let authority = text.split("://").nth(1).unwrap().split(['/', '?', '#']).next().unwrap();
        let own_port = if delivered.scheme() == "https" { ":443" } else { ":80" };
        assert_eq!(authority.strip_suffix(own_port).unwrap_or(authority), target.host_and_port(), "{text}");
        assert!(delivered.scheme() == "https" || target.is_loopback(), "{text}");
        assert!(delivered.as_str().contains("accessToken=tok-AB_c"), "{text}");
    }
    assert!(accepted >= 10_000, "{accepted}");
    assert!(refused >= 10_000, "{refused}");
}

/// The same for hosts letter by letter, where an accident would hide.
#[test]
fn every_letter_in_a_host_is_itself_or_refused() {
    let mut accepted = 0;
    for code in 0..0x3000_u32 {
        let Some(letter) = char::from_u32(code) else { continue };
        for text in [format!("https://a{letter}b.example/"), format!("https://{letter}/"), format!("https://a.example{letter}/")] {
            let Ok(target) = Target::parse(&text) else { continue };
            accepted += 1;
            let delivered = Url::parse(&target.deliver(ResponseMode::Query, &CREDENTIALS)).unwrap();
            assert_eq!(delivered.host_str(), Some(target.host()), "{text:?}");
            let authority = text.split("://").nth(1).unwrap().split(['/', '?', '#']).next().unwrap();
            assert_eq!(authority, target.host_and_port(), "{text:?}");
            assert!(authority.is_ascii(), "{text:?}");
        }
    }
    assert!(accepted > 36 * 2, "{accepted}");
}
