//! Nobody is flooded with mail, and nobody is kept out by strangers.

use std::net::{IpAddr, Ipv4Addr};

use falconer_auth::{ApiError, Authentication};
use falconer_login::{LoginError, ProviderError, ProviderSignInError, Visitor};

use crate::common::{ADDRESS, HOUR_MS, from};
use crate::site::{Site, site};

fn stranger(n: u8) -> Visitor<'static> {
    from(IpAddr::V4(Ipv4Addr::new(198, 51, 100, n)))
}

fn is_throttled(error: Option<ProviderSignInError>) -> bool {
    matches!(error, Some(ProviderSignInError::Login(LoginError::Throttled { .. })))
}

async fn mails_until_refused(site: &Site, address: &str, visitor: &Visitor<'_>) -> usize {
    for sent in 0..100 {
        if is_throttled(site.ask_from("mail", address, visitor).await.err()) {
            return sent;
        }
    }
    panic!("nobody is refused");
}

#[tokio::test]
async fn one_network_sends_five_mails_to_one_address_in_a_quarter_of_an_hour() {
    let site = site().await;
    assert_eq!(mails_until_refused(&site, "ann@example.com", &stranger(1)).await, 5);
    assert_eq!(site.mails().len(), 5);
    // However the address is written.
    assert!(is_throttled(site.ask_from("mail", "ANN@example.com", &stranger(1)).await.err()));
    // Whether it is let in does not show here either.
    assert_eq!(mails_until_refused(&site, "ann@example.org", &stranger(1)).await, 5);
    assert!(site.mails().is_empty());
    site.world.clock.advance(HOUR_MS / 4);
    assert_eq!(mails_until_refused(&site, "ann@example.com", &stranger(1)).await, 5);
}

#[tokio::test]
async fn one_network_sends_thirty_mails_to_all_addresses() {
    let site = site().await;
    let mut sent = 0;
    while site.ask_from("mail", &format!("person{sent}@example.com"), &stranger(1)).await.is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 30);
    site.ask_from("mail", "another@example.com", &stranger(2)).await.unwrap();
}

/// All strangers together fill a mailbox with twenty mails a day; whoever has signed in from a place before is not kept out there.
#[tokio::test]
async fn strangers_keep_nobody_out() {
    let site = site().await;
    let (sent, code) = site.code("mail", "ann@example.com").await;
    site.sign_in("mail", &sent, &code).await.unwrap();
    let mut mails = 1;
    for n in 1..=10 {
        for _ in 0..5 {
            mails += usize::from(site.ask_from("mail", "ann@example.com", &stranger(n)).await.is_ok());
        }
    }
    assert_eq!(mails, 20);
    assert!(is_throttled(site.ask_from("mail", "ann@example.com", &stranger(11)).await.err()));
    site.mails();
    let (sent, code) = site.code("mail", "ann@example.com").await;
    site.sign_in("mail", &sent, &code).await.unwrap();
    // In a browser that is known, wherever it is.
    let browser = |n| Visitor { browser: Some("b".repeat(22).leak()), ..stranger(n) };
    assert!(is_throttled(site.ask_from("mail", "ann@example.com", &browser(12)).await.err()));
    let sent = site.ask("mail", "ann@example.com").await.unwrap();
    let text = site.mails().pop().unwrap().text;
    let code = text.lines().find(|line| line.starts_with("    ")).unwrap();
    let at_home = Visitor { browser: Some("b".repeat(22).leak()), ..from(ADDRESS) };
    site.world.login.sign_in_by_code("mail", &[&sent.cookie_value], &sent.flow, code, None, &at_home).await.unwrap();
    site.ask_from("mail", "ann@example.com", &browser(12)).await.unwrap();
}

/// Strangers have used up somebody's mails: an administrator lets them try again, and nobody else.
#[tokio::test]
async fn an_administrator_lets_somebody_ask_for_codes_again() {
    let site = site().await;
    for name in ["ann@example.com", "bob@example.com"] {
        let (sent, code) = site.code("mail", name).await;
        site.sign_in("mail", &sent, &code).await.unwrap();
    }
    let shut_out = async |address: &str, n: u8| is_throttled(site.ask_from("mail", address, &stranger(n)).await.err());
    for address in ["ann@example.com", "bob@example.com"] {
        for n in 1..=5 {
            for _ in 0..5 {
                let _ = site.ask_from("mail", address, &stranger(n)).await;
            }
        }
        assert!(shut_out(address, 20).await);
    }
    site.mails();
    let ann = "mail/ann@example.com";
    site.world.person("helper", &[], &["auth:unlock-person:mail/ann@example.com"]).await;
    let helper = Authentication::person("local/helper");
    let refused = site.world.login.unlock_person(&helper, "mail/bob@example.com").await;
    assert!(matches!(refused, Err(ApiError::InsufficientScopes { .. })), "{refused:?}");
    site.world.login.unlock_person(&helper, ann).await.unwrap();
    assert!(shut_out("bob@example.com", 20).await);
    // A stranger's place gets five again, all strangers together twenty.
    assert_eq!(mails_until_refused(&site, "ann@example.com", &stranger(1)).await, 5);
    for n in 2..=4 {
        assert_eq!(mails_until_refused(&site, "ann@example.com", &stranger(n)).await, 5);
    }
    assert!(shut_out("ann@example.com", 21).await);
    let rows = site.world.store.entity_history("identity", ann, falconer_store::AuditStart::Offset(0), 10).await.unwrap();
    assert!(rows.iter().any(|row| row.action == "unlocked" && row.actor == "local/helper"), "{rows:?}");
    // A day later the counts have their old names again, and nothing of before is in them.
    site.world.clock.advance(24 * HOUR_MS);
    assert!(!shut_out("ann@example.com", 22).await);
}

/// A hundred wrong codes, and a network tries no more.
#[tokio::test]
async fn one_network_guesses_a_hundred_times() {
    let site = site().await;
    let mut guesses = 0;
    'all: for n in 0..40 {
        let sent = site.ask_from("mail", &format!("person{n}@example.com"), &stranger(n)).await.unwrap();
        for _ in 0..5 {
            let got = site.sign_in("mail", &sent, "00000000").await.err().unwrap();
            if is_throttled(Some(got.clone())) {
                break 'all;
            }
            assert_eq!(got, ProviderSignInError::Provider(ProviderError::WrongCode));
            guesses += 1;
        }
    }
    assert_eq!(guesses, 100);
}

/// Story: a code that was typed too often wrote one row more at each further try, and counted against nobody.
#[tokio::test]
async fn a_code_that_counts_no_more_is_not_tried_without_end() {
    let site = site().await;
    let sent = site.ask_from("mail", "ann@example.com", &stranger(1)).await.unwrap();
    let mut refused = 0;
    for _ in 0..200 {
        match site.sign_in("mail", &sent, "00000000").await.err().unwrap() {
            ProviderSignInError::Provider(ProviderError::WrongCode | ProviderError::TooManyTries) => refused += 1,
            error => {
                assert!(is_throttled(Some(error)));
                break;
            }
        }
    }
    assert_eq!(refused, 100);
}
