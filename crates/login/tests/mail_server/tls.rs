//! TLS: where it has to be, and what is not told to whoever can't prove who they are.

use falconer_login::mail::{MailError, MailSettings, Mailer as _};
use falconer_store::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

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
        let received = peer.received();
        assert_eq!(received.last().map(String::as_str), Some("QUIT"), "{url}: {received:?}");
        assert!(!received.contains(&"MAIL".to_owned()), "{url}: {received:?}");
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
        assert_eq!(peer.received(), ["QUIT"], "{url}");
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
        assert_eq!([peer.received(), peer.received()], [["EHLO"], ["EHLO"]]);
    }
    // On this machine itself mail goes out without TLS, but no password where the server takes none.
    let url = peer.url("smtp", "localhost", "plain");
    assert_eq!(mailer(&with_login(&url)).send(&mail_to("ann@example.com")).await, Err(MailError::NoAuth));
    assert_eq!(peer.received(), ["EHLO"]);
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
                assert_eq!(peer.received(), ["EHLO", "STARTTLS"], "{}", settings.url);
            }
        }
    }
    // Without TLS from the beginning nothing was told at all: the next that it hears is this.
    mailer(&settings(&peer.url("smtp", "localhost", "plain"))).probe().await.unwrap();
    assert_eq!(peer.received(), ["EHLO", "QUIT"]);
}

#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn a_wrong_password_is_told_and_sends_nothing() {
    let peer = Peer::start();
    for url in [peer.url("smtp", "localhost", "starttls:server"), peer.url("smtps", "localhost", "smtps:server")] {
        let mut settings = with_login(&url);
        settings.login.as_mut().unwrap().password = Secret::new("another password");
        assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::Refused(535)));
        assert!(!peer.received().contains(&"MAIL".to_owned()));
        assert_eq!(mailer(&settings).probe().await, Err(MailError::Refused(535)));
        assert!(!peer.received().contains(&"MAIL".to_owned()));
        // A server that wants to know who sends.
        settings.login = None;
        assert_eq!(mailer(&settings).send(&mail_to("ann@example.com")).await, Err(MailError::Status { what: "the mail", status: 530 }));
        peer.received();
    }
}

/// What a server would say to a whole mail, after STARTTLS.
const AHEAD: &[u8] = b"250-mail.test\r\n250 AUTH PLAIN\r\n235 yes\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n";

/// Somebody in between, who says that together with the answer to STARTTLS. Where they listen.
async fn somebody_in_between(server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut from_client, mut to_client) = listener.accept().await.unwrap().0.into_split();
        let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut bytes = vec![0; 65_536];
        while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
            let ahead = if bytes.starts_with(b"220 Ready") { AHEAD } else { b"" };
            if to_client.write_all(&[&bytes[..length], ahead].concat()).await.is_err() {
                break;
            }
        }
    });
    format!("smtp://localhost:{}", address.port())
}

/// Answers that came before TLS were taken for those of the server after it: a mail that it refused was told as sent.
#[tokio::test]
#[ignore = "needs aiosmtpd"]
async fn nothing_that_came_before_tls_is_an_answer() {
    let peer = Peer::start();
    let server = peer.url("smtp", "127.0.0.1", "starttls:server").replace("smtp://", "");
    let settings = with_login(&somebody_in_between(server).await);
    let sent = mailer(&settings).send(&mail_to("rcpt-550@example.com")).await;
    assert!(matches!(sent, Err(MailError::Tls(_))), "{sent:?}");
    let received = peer.said_until(|line| line["told"] == "STARTTLS");
    assert_eq!(received.len(), 2, "hello, and STARTTLS: {received:?}");
}
