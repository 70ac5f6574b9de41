//! What works, and what comes of it.

use falconer_login::SignInMethod;

use crate::common::START_MS;
use crate::site::{Catcher, site, site_with};

#[tokio::test]
async fn a_person_signs_in_by_a_code() {
    let site = site().await;
    let sent = site.ask("mail", " Ann@Example.COM ").await.unwrap();
    let mails = site.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!((mail.to.as_str(), mail.subject.as_str(), mail.at_ms), ("ann@example.com", "Your code for auth.example.com", START_MS));
    assert!(!mail.text.contains("http") && !mail.text.contains(sent.flow.as_str()), "{}", mail.text.as_str());
    let code = mail.text.lines().find(|line| line.starts_with("    ")).unwrap();
    let code_request = site.world.login.pending_code("mail", &[&sent.cookie_value], &sent.flow).unwrap();
    assert_eq!((code_request.address.as_str(), code_request.begun.next.as_str()), ("ann@example.com", "/me?x=1"));
    // As it is in the mail, with the space.
    let inbound = site.sign_in("mail", &sent, code).await.unwrap();
    let session = inbound.signed_in.session;
    assert_eq!((session.identity.as_str(), inbound.next.as_str()), ("mail/ann@example.com", "/me?x=1"));
    assert_eq!(session.method, SignInMethod::Provider);
    let directory = site.world.auth.directory();
    let record = &directory.identity("mail/ann@example.com").unwrap().record;
    assert_eq!((record.email.as_deref(), record.email_verified), (Some("ann@example.com"), true));
    let mut scopes = record.scopes.clone();
    scopes.sort();
    let expected = [
        "assume:everybody",
        "assume:login-identity:mail/ann@example.com",
        "assume:mail-person:ann@example.com",
        "assume:mozilla-user:ann@example.com",
    ];
    assert_eq!(scopes, expected);
}

/// Case, and the letters of a domain, make nobody else; what is in front of the `@` does.
#[tokio::test]
async fn one_address_is_one_person() {
    let site = site().await;
    for (typed, identity) in [
        ("ann@example.com", "mail/ann@example.com"),
        ("ANN@EXAMPLE.COM", "mail/ann@example.com"),
        ("ann+x@example.com", "mail/ann+x@example.com"),
        ("eve@example.net", "mail/eve@example.net"),
        ("o'neil@example.com", "mail/o!27neil@example.com"),
    ] {
        let (sent, code) = site.code("mail", typed).await;
        assert_eq!(site.sign_in("mail", &sent, &code).await.unwrap().signed_in.session.identity, identity, "{typed}");
    }
    let (sent, code) = site.code("other", "ann@bücher.example").await;
    let session = site.sign_in("other", &sent, &code).await.unwrap().signed_in.session;
    assert_eq!(session.identity, "other/ann@xn--bcher-kva.example");
}

/// Two tabs: each has its own code.
#[tokio::test]
async fn two_sign_ins_at_once_do_not_disturb_each_other() {
    let site = site().await;
    let (first, first_code) = site.code("mail", "ann@example.com").await;
    let (second, second_code) = site.code("mail", "ann@example.com").await;
    let cookies = [first.cookie_value.as_str(), second.cookie_value.as_str()];
    assert!(site.sign_in_with("mail", &cookies, &first.flow, &second_code).await.is_err());
    site.sign_in_with("mail", &cookies, &first.flow, &first_code).await.unwrap();
    site.sign_in_with("mail", &cookies, &second.flow, &second_code).await.unwrap();
}

/// Four wrong ones are no reason to begin anew.
#[tokio::test]
async fn the_fifth_try_may_be_the_right_one() {
    let site = site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    for by in 1..=4 {
        assert!(site.sign_in("mail", &sent, &crate::site::wrong(&code, by)).await.is_err());
    }
    site.sign_in("mail", &sent, &code).await.unwrap();
}

/// Whoever asks learns nothing of a mail server that is away.
#[tokio::test]
async fn a_mail_server_that_fails_changes_no_answer() {
    let site = site_with(Catcher { fails: true, ..Catcher::default() }).await;
    site.ask("mail", "ann@example.com").await.unwrap();
    assert!(site.mails().is_empty());
}
