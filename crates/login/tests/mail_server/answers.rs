//! What the server answers, and what is told of the mail then: sent, not sent and why, or not known.

use std::sync::Arc;

use falconer_login::mail::{MailError, MailOutcome, MailSettings, Mailer as _};
use falconer_login::{Administrator, LoginSettings, MailedSite, NewAccount};

use crate::common::{self, World};
use crate::peer::{Peer, mail_to, mailer, settings, with_login};

/// A refusal is told with its status, at each of its places; it is not tried again, whether it is for now or for good.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn what_a_server_refuses_is_told_with_its_status() {
    let peer = Peer::start();
    let settings = settings(&peer.url("smtp", "localhost", "plain"));
    for status in [421, 450, 452, 503, 550, 554] {
        for stage in ["mail", "rcpt", "data", "end"] {
            let address = format!("{stage}-{status}@example.com");
            let (from, to) =
                if stage == "mail" { (address.as_str(), "ann@example.com") } else { (settings.from.as_str(), address.as_str()) };
            let sent = mailer(&MailSettings { from: from.to_owned(), ..settings.clone() }).send(&mail_to(to)).await;
            assert_eq!(sent, Err(MailError::Status { what: "the mail", status }), "{address}");
            let received = peer.received();
            assert_eq!(received.iter().filter(|word| *word == "MAIL").count(), 1, "{address}: {received:?}");
        }
    }
}

/// Whoever hangs up may have taken the mail.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn a_server_that_breaks_off_may_have_taken_the_mail() {
    let peer = Peer::start();
    let settings = with_login(&peer.url("smtps", "localhost", "smtps:server"));
    for recipient in ["half-way", "hangs-up"] {
        let sent = mailer(&settings).send(&mail_to(&format!("{recipient}@example.com"))).await;
        assert!(matches!(sent, Err(MailError::Unfinished(_))), "{recipient}: {sent:?}");
        peer.received();
    }
    // It took it before it hung up.
    assert_eq!(mailer(&settings).send(&mail_to("no-goodbye@example.com")).await, Ok(()));
    assert_eq!(peer.mail()["to"][0], "no-goodbye@example.com");
}

/// The time that passes is the test's.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn a_server_that_hangs_is_waited_for_a_while() {
    let peer = Arc::new(Peer::start());
    let settings = settings(&peer.url("smtp", "localhost", "plain"));
    let sending = tokio::spawn({
        let settings = settings.clone();
        async move { mailer(&settings).send(&mail_to("hangs@example.com")).await }
    });
    let hangs = Arc::clone(&peer);
    tokio::task::spawn_blocking(move || hangs.said_until(|line| line["hangs"] == true)).await.unwrap();
    tokio::time::pause();
    let sent = sending.await.unwrap();
    assert!(matches!(sent, Err(MailError::Unfinished(_))), "it has all of the mail: {sent:?}");
    peer.freeze();
    assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::TooSlow(30)));
    assert_eq!(mailer(&settings).probe().await, Err(MailError::TooSlow(30)));
}

#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn whoever_invites_is_told_what_became_of_the_mail() {
    let peer = Peer::start();
    let settings = with_login(&peer.url("smtp", "localhost", "starttls:server"));
    let world = World::with(LoginSettings { mailer: Some(Arc::new(mailer(&settings))), ..common::settings() }).await;
    let site = MailedSite { name: "auth.example.com".to_owned(), link: "https://auth.example.com/password-link?token=".to_owned() };
    for (name, address, received) in [
        ("bob", "bob@example.com", MailOutcome::Sent),
        ("cleo", "rcpt-550@example.com", MailOutcome::Refused(550)),
        ("dave", "end-451@example.com", MailOutcome::Refused(451)),
        ("erin", "half-way@example.com", MailOutcome::Unfinished),
        ("finn", "hangs-up@example.com", MailOutcome::Unfinished),
        ("gina", "no-goodbye@example.com", MailOutcome::Sent),
    ] {
        let new =
            NewAccount { name: name.to_owned(), display_name: name.to_owned(), email: Some(address.to_owned()), ..NewAccount::default() };
        let (mailed, _) = world.login.invite_person_by_mail(Administrator::OnTheMachine("machine"), &new, &site).await.unwrap();
        assert_eq!(mailed.outcome, received, "{address}");
        if received == MailOutcome::Sent {
            let mail = peer.mail();
            assert_eq!(mail["to"][0], address);
            assert!(mail["text"].as_str().unwrap().contains(&format!("{}{}\r\n", site.link, mailed.link.token.as_str())), "{mail}");
        }
    }
}
