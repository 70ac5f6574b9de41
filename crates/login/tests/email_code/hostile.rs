//! What somebody may try who cannot read the mail. Each case is refused, nobody is signed in, and the reason is the expected one.

use falconer_login::{LoginError, ProviderError, ProviderSignInError, Way};

use crate::common::{ADDRESS, from};
use crate::site::{site, wrong};

const MINUTE_MS: i64 = 60_000;

/// So many cases are in this file; a case that is lost is noticed.
const CASES: usize = 60;

fn provider(error: ProviderError) -> ProviderSignInError {
    ProviderSignInError::Provider(error)
}

#[tokio::test]
async fn nobody_is_signed_in_who_cannot_read_the_mail() {
    let mut cases = 0;
    let mut refused = |what: &str, got: ProviderSignInError, expected: ProviderSignInError| {
        assert_eq!(got, expected, "{what}");
        cases += 1;
    };

    // What is typed instead of the code.
    for (what, typed) in [
        ("nothing", ""),
        ("too short", "1234567"),
        ("too long", "123456789"),
        ("letters", "abcdefgh"),
        ("a pattern", "%%%%%%%%"),
        ("SQL", "' OR 1=1"),
        ("other digits", "٠١٢٣٤٥٦٧"),
        ("a line end", "1234\r\n567"),
        ("a zero byte", "1234567\0"),
    ] {
        let site = site().await;
        let (sent, _) = site.code("mail", "ann@example.com").await;
        refused(what, site.sign_in("mail", &sent, typed).await.err().unwrap(), provider(ProviderError::WrongCode));
    }
    let site = site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    let got = site.sign_in("mail", &sent, &"1".repeat(100_000)).await.err().unwrap();
    refused("very long", got, provider(ProviderError::WrongCode));
    let got = site.sign_in("mail", &sent, &wrong(&code, 1)).await.err().unwrap();
    refused("the next number", got, provider(ProviderError::WrongCode));

    // Whose code it is.
    let site = crate::site::site().await;
    let (mine, my_code) = site.code("mail", "eve@example.net").await;
    let (theirs, their_code) = site.code("mail", "ann@example.com").await;
    let got = site.sign_in("mail", &mine, &their_code).await.err().unwrap();
    refused("another browser's code", got, provider(ProviderError::WrongCode));
    let got = site.sign_in("mail", &theirs, &my_code).await.err().unwrap();
    refused("a code of one's own for somebody else", got, provider(ProviderError::WrongCode));
    let got = site.sign_in_with("mail", &[], &theirs.flow, &their_code).await.err().unwrap();
    refused("the code without a cookie", got, provider(ProviderError::NotBegunHere));
    let got = site.sign_in_with("mail", &[&mine.cookie_value], &theirs.flow, &their_code).await.err().unwrap();
    refused("the code with another cookie", got, provider(ProviderError::NotBegunHere));
    let got = site.sign_in_with("mail", &[&theirs.cookie_value], "", &their_code).await.err().unwrap();
    refused("no sign-in named", got, provider(ProviderError::NotBegunHere));
    let got = site.sign_in_with("other", &[&theirs.cookie_value], &theirs.flow, &their_code).await.err().unwrap();
    refused("another provider", got, provider(ProviderError::OtherProvider));
    for name in ["nobody", "local", "", "mail/x"] {
        let got = site.sign_in_with(name, &[&theirs.cookie_value], &theirs.flow, &their_code).await.err().unwrap();
        refused("no such provider", got, provider(ProviderError::UnknownProvider));
    }

    // Changed cookies.
    let site = crate::site::site().await;
    let (sent, code) = site.code("mail", "eve@example.net").await;
    let parts: Vec<&str> = sent.cookie_value.split('.').collect();
    let with = |at: usize, value: &str| {
        let mut parts = parts.clone();
        parts[at] = value;
        parts.join(".")
    };
    // ann@example.com, / and eve@example.net
    let (ann, root) = ("YW5uQGV4YW1wbGUuY29t", "Lw");
    for (what, cookie, name) in [
        ("another address in it", with(4, ann), "mail"),
        ("another time in it", with(1, "1767225600001"), "mail"),
        ("another place to go on in it", with(3, root), "mail"),
        ("another provider in it", with(2, "other"), "other"),
    ] {
        let got = site.sign_in_with(name, &[&cookie], &sent.flow, &code).await.err().unwrap();
        refused(what, got, provider(ProviderError::WrongCode));
    }
    for (what, cookie) in [
        ("another secret in it", with(0, &"s".repeat(43))),
        ("a short secret", with(0, "s")),
        ("no address in it", parts[..4].join(".")),
        ("no time in it", with(1, "x")),
        ("two addresses in it", with(4, "YUBleGFtcGxlLmNvbSxiQGV4YW1wbGUuY29t")),
        ("an address with another case in it", with(4, "QW5uQGV4YW1wbGUuY29t")),
        ("no base64 in it", with(4, "!!")),
    ] {
        let got = site.sign_in_with("mail", &[&cookie], &sent.flow, &code).await.err().unwrap();
        refused(what, got, provider(ProviderError::NotBegunHere));
    }

    // Again, and too late.
    let site = crate::site::site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    site.sign_in("mail", &sent, &code).await.unwrap();
    refused("the code once more", site.sign_in("mail", &sent, &code).await.err().unwrap(), provider(ProviderError::Used));
    let (sent, code) = site.code("mail", "ann@example.com").await;
    site.world.clock.advance(10 * MINUTE_MS);
    refused("after ten minutes", site.sign_in("mail", &sent, &code).await.err().unwrap(), provider(ProviderError::Over));
    let (sent, code) = site.code("mail", "ann@example.com").await;
    let later = sent.cookie_value.replace(&site.world.login.now_ms().to_string(), &(site.world.login.now_ms() + 9 * MINUTE_MS).to_string());
    site.world.clock.advance(10 * MINUTE_MS);
    let got = site.sign_in_with("mail", &[&later], &sent.flow, &code).await.err().unwrap();
    refused("after ten minutes, with another time in the cookie", got, provider(ProviderError::WrongCode));

    // Guessing.
    let site = crate::site::site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    for by in 1..=5 {
        let got = site.sign_in("mail", &sent, &wrong(&code, by)).await.err().unwrap();
        refused("a guess", got, provider(ProviderError::WrongCode));
    }
    refused(
        "the sixth try, although right",
        site.sign_in("mail", &sent, &code).await.err().unwrap(),
        provider(ProviderError::TooManyTries),
    );
    let at = sent.cookie_value.replacen("1767225600000", "1767225600001", 1);
    let got = site.sign_in_with("mail", &[&at], &sent.flow, &code).await.err().unwrap();
    refused("a seventh with another cookie of the same secret", got, provider(ProviderError::TooManyTries));

    // Addresses that are let in nowhere: the answer is the same, and there is no mail.
    let site = crate::site::site().await;
    for address in
        ["ann@sub.example.com", "ann@example.net", "ann@example.com.evil.example", "ann@ex\u{430}mple.com", "example.com@evil.example"]
    {
        let sent = site.ask("mail", address).await.unwrap();
        assert!(site.mails().is_empty(), "{address}");
        let got = site.sign_in("mail", &sent, "12345678").await.err().unwrap();
        refused(address, got, provider(ProviderError::WrongCode));
    }

    // What is no address: said at once, and nothing is sent.
    let long = format!("{}@example.com", "a".repeat(10_000));
    for address in [
        "ann@example.com\r\nBcc: eve@example.net",
        "ann\r\nBcc: eve@example.net@example.com",
        "ann@example.com,eve@example.net",
        "ann@example.com eve@example.net",
        "eve@example.net@example.com",
        "\"ann\"@example.com",
        "\"eve@example.net\"@example.com",
        "\u{430}nn@example.com",
        "ann\u{200b}@example.com",
        "ann@[127.0.0.1]",
        "<ann@example.com>",
        &long,
    ] {
        let got = site.ask("mail", address).await.err().unwrap();
        assert!(site.mails().is_empty(), "{address}");
        let said = "That is no e-mail address that can be used here. Write one like you@example.com.";
        refused(address, got, LoginError::Invalid(said.to_owned()).into());
    }
    let next = format!("/?{}", "x".repeat(2400));
    let got =
        site.world.login.mail_code("mail", "ann@example.com", &next, "auth.example.com", Way::SignIn, &from(ADDRESS)).await.err().unwrap();
    refused("more to go on with than a cookie holds", got, provider(ProviderError::NextTooLong));
    assert_eq!(cases, CASES);
}

/// Whoever is disabled reads their mail as before, and may not act.
#[tokio::test]
async fn whoever_is_disabled_is_not_signed_in() {
    let site = site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    let identity = site.sign_in("mail", &sent, &code).await.unwrap().signed_in.session.identity;
    site.world.login.disable_person("test", &identity).await.unwrap();
    let (sent, code) = site.code("mail", "ann@example.com").await;
    assert_eq!(site.sign_in("mail", &sent, &code).await.err().unwrap(), LoginError::SignedOut.into());
}

/// An answer to somebody who is let in does as much as one to somebody who is not.
#[tokio::test]
async fn the_answer_tells_nothing_of_an_address() {
    let site = site().await;
    let (known, code) = site.code("mail", "ann@example.com").await;
    site.sign_in("mail", &known, &code).await.unwrap();
    let mut lengths = Vec::new();
    for address in ["ann@example.com", "bob@example.com", "bob@example.org"] {
        let sent = site.ask("mail", address).await.unwrap();
        lengths.push((sent.cookie_value.len(), sent.flow.len(), sent.seconds));
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(site.sign_in("mail", &sent, "00000000").await.err().unwrap());
        }
        assert_eq!(answers[..5], vec![provider(ProviderError::WrongCode); 5], "{address}");
        assert_eq!(answers[5], provider(ProviderError::TooManyTries), "{address}");
    }
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[1], lengths[2]);
}
