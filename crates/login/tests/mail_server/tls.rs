//! TLS: where it has to be, and what is not told to whoever can't prove who they are.

use falconer_login::mail::{MailError, MailSettings, Mailer as _};
use falconer_store::Secret;

use crate::peer::{Peer, mail_to, mailer, settings, with_login};

/// 0.0.0.0 is this machine too, and no address of its loopback: without TLS nothing is sent there.
const ANYWHERE: &str = "0.0.0.0";

#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn mail_goes_out_in_each_of_the_ways() {
    let peer = Peer::start();
    let plain = |host| (settings(&peer.url("smtp", host, "plain")), false, "none, on this machine itself");
    let starttls = |host, name: &str| (with_login(&peer.url("smtp", host, &format!("starttls:{name}"))), true, "by STARTTLS");
    let smtps = |host, name: &str| (with_login(&peer.url("smtps", host, &format!("smtps:{name}"))), true, "from the beginning");
    for (settings, tls, found) in [
        plain("localhost"),
        plain("127.0.0.1"),
        starttls("localhost", "server"),
        starttls(ANYWHERE, "anywhere"),
        smtps("127.0.0.1", "server"),
        smtps(ANYWHERE, "anywhere"),
    ] {
        let (url, user) = (&settings.url, settings.login.as_ref().map(|login| login.user.as_str()));
        let mailer = mailer(&settings);
        // Trying it sends nothing.
        assert!(mailer.probe().await.unwrap().contains(&("TLS", found.to_owned())), "{url}");
        let told = peer.told();
        assert_eq!(told.last().map(String::as_str), Some("QUIT"), "{url}: {told:?}");
        assert!(!told.contains(&"MAIL".to_owned()), "{url}: {told:?}");
        mailer.send(&mail_to("ann@B\u{fc}cher.example")).await.unwrap();
        let mail = peer.mail();
        assert_eq!((mail["tls"].as_bool(), mail["user"].as_str()), (Some(tls), user), "{url}");
        assert_eq!((&mail["from"], &mail["to"][0]), (&"falconer@example.com".into(), &"ann@xn--bcher-kva.example".into()), "{url}");
        assert_eq!(mail["to"].as_array().unwrap().len(), 1);
        let text = "Hello\r\n.\r\nA line of dots follows\r\n..\r\nGr\u{fc}\u{df}e";
        assert_eq!(mail["text"].as_str().map(str::trim_end), Some(text), "{url}");
        let header = |name: &str| mail["headers"][name].as_str().unwrap_or_default().to_owned();
        assert_eq!(header("from"), "The Falconer <falconer@example.com>");
        assert_eq!((header("to"), header("subject")), ("ann@xn--bcher-kva.example".to_owned(), "A code".to_owned()));
        assert_eq!(header("auto-submitted"), "auto-generated");
        assert_eq!(peer.told(), ["QUIT"], "{url}");
    }
}

/// A server, or whoever sits in front of it, that offers no TLS is told nothing but hello: no user, no password, no mail.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn where_starttls_was_taken_away_nothing_is_sent() {
    let peer = Peer::start();
    let url = peer.url("smtp", ANYWHERE, "plain");
    for settings in [settings(&url), with_login(&url)] {
        assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::NoTls));
        assert_eq!(mailer(&settings).probe().await, Err(MailError::NoTls));
        assert_eq!([peer.told(), peer.told()], [["EHLO"], ["EHLO"]]);
    }
    // On this machine itself mail goes out without TLS, but no password where the server takes none.
    let url = peer.url("smtp", "localhost", "plain");
    assert_eq!(mailer(&with_login(&url)).send(&mail_to("ann@example.com")).await, Err(MailError::NoAuth));
    assert_eq!(peer.told(), ["EHLO"]);
}

/// Names that are not in the certificate, authorities that nobody trusts, and certificates whose time is over: on this machine too, and without going on in plain.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn certificates_that_do_not_hold() {
    let peer = Peer::start();
    let url = |scheme: &str, host: &str, name: &str| {
        let listener = if scheme == "smtps" { "smtps" } else { "starttls" };
        peer.url(scheme, host, &format!("{listener}:{name}"))
    };
    for scheme in ["smtp", "smtps"] {
        let mut cases: Vec<MailSettings> =
            ["elsewhere", "foreign", "ended", "anywhere"].iter().map(|name| with_login(&url(scheme, "localhost", name))).collect();
        cases.push(with_login(&url(scheme, ANYWHERE, "server")));
        // It would hold, if its authority were trusted.
        cases.push(MailSettings { ca_pem: None, ..with_login(&url(scheme, "localhost", "server")) });
        for settings in cases {
            let sent = mailer(&settings).send(&mail_to("ann@example.com")).await;
            assert!(matches!(sent, Err(MailError::Tls(_))), "{}: {sent:?}", settings.url);
            if scheme == "smtp" {
                assert_eq!(peer.told(), ["EHLO", "STARTTLS"], "{}", settings.url);
            }
        }
    }
    // Without TLS from the beginning nothing was told at all: the next that it hears is this.
    mailer(&settings(&peer.url("smtp", "localhost", "plain"))).probe().await.unwrap();
    assert_eq!(peer.told(), ["EHLO", "QUIT"]);
}

#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn a_wrong_password_is_told_and_sends_nothing() {
    let peer = Peer::start();
    for url in [peer.url("smtp", "localhost", "starttls:server"), peer.url("smtps", "localhost", "smtps:server")] {
        let mut settings = with_login(&url);
        settings.login.as_mut().unwrap().password = Secret::new("another password");
        assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::Refused(535)));
        assert!(!peer.told().contains(&"MAIL".to_owned()));
        assert_eq!(mailer(&settings).probe().await, Err(MailError::Refused(535)));
        assert!(!peer.told().contains(&"MAIL".to_owned()));
        // A server that wants to know who sends.
        settings.login = None;
        assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::Status { what: "the mail", status: 530 }));
        peer.told();
    }
}
