//! The way out, against servers that say what a test has them say: what no real one says. A real one is in `tests/mail_server`.

use std::time::Duration;

use falconer_login::mail::{Mail, MailAddress, MailError, MailLogin, MailSettings, Mailer as _, SmtpMailer};
use falconer_store::Secret;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::common::START_MS;
use crate::ports::HeldPort;

/// A server that answers lines that begin with a word; the rest gets `250 ok`. Where it ends comes what it was told.
async fn server(greeting: &'static str, answers: &'static [(&'static str, &'static str)]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let transcript = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        let mut received = String::new();
        let mut in_text = false;
        if writing.write_all(greeting.as_bytes()).await.is_err() {
            return received;
        }
        while let Ok(Some(line)) = lines.next_line().await {
            received.push_str(&line);
            received.push('\n');
            if in_text && line != "." {
                continue;
            }
            let known = answers.iter().find(|(word, _)| line.starts_with(word)).map(|(_, answer)| *answer);
            let answer = known.unwrap_or(match line.as_str() {
                "DATA" => "354 go on\r\n",
                _ => "250 ok\r\n",
            });
            in_text = line == "DATA" && answer.starts_with("354");
            if answer.is_empty() || writing.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
        received
    });
    (url, transcript)
}

fn settings(url: &str) -> MailSettings {
    MailSettings { url: url.to_owned(), login: None, from: "The Falconer <falconer@example.com>".to_owned(), ca_pem: None }
}

fn with_login(url: &str) -> MailSettings {
    let login = MailLogin { user: "falconer".to_owned(), password: Secret::new("canary") };
    MailSettings { login: Some(login), ..settings(url) }
}

fn mail() -> Mail {
    let text = "Hello\n.\nA line of dots follows\n..\nGr\u{fc}\u{df}e\n".to_owned().into();
    Mail { id: "i".repeat(22), to: MailAddress::parse("ann@example.com").unwrap(), subject: "A code".to_owned(), text, at_ms: START_MS }
}

#[tokio::test]
async fn a_mail_is_handed_over() {
    let (url, told) = server("220 hello\r\n", &[]).await;
    SmtpMailer::new(&settings(&url)).unwrap().send(&mail()).await.unwrap();
    let transcript_text = told.await.unwrap();
    for line in [
        "EHLO example.com",
        "MAIL FROM:<falconer@example.com>",
        "RCPT TO:<ann@example.com>",
        "From: \"The Falconer\" <falconer@example.com>",
        "To: ann@example.com",
        "Subject: A code",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "Message-ID: <iiiiiiiiiiiiiiiiiiiiii@example.com>",
        "Auto-Submitted: auto-generated",
        "..",
        "Gr=C3=BC=C3=9Fe",
    ] {
        assert!(transcript_text.lines().any(|one| one == line), "{line}: {transcript_text}");
    }
    assert_eq!(transcript_text.lines().filter(|line| line.starts_with("RCPT")).count(), 1);
}

#[tokio::test]
async fn what_a_server_says_is_told_without_its_words() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 8] = [
        ("554 go away, canary\r\n", &[], "refuses the greeting with status 554"),
        ("220 hello\r\n", &[("EHLO", "502 canary\r\n")], "refuses the greeting with status 502"),
        ("220 hello\r\n", &[("MAIL", "530 canary\r\n")], "refuses the mail with status 530"),
        ("220 hello\r\n", &[("RCPT", "550 no ann@example.com here, canary\r\n")], "refuses the mail with status 550"),
        ("220 hello\r\n", &[("DATA", "451 canary\r\n")], "refuses the mail with status 451"),
        ("220 hello\r\n", &[(".", "552 canary\r\n")], "refuses the mail with status 552"),
        ("SSH-2.0-canary\r\n", &[], "no mail server"),
        ("220 hello\r\n", &[("EHLO", "")], "mail server"),
    ];
    for (greeting, answers, said) in cases {
        let (url, _told) = server(greeting, answers).await;
        let error = SmtpMailer::new(&settings(&url)).unwrap().send(&mail()).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("canary") && !error.contains("ann@"), "{greeting} {answers:?}: {error}");
    }
}

#[tokio::test]
async fn user_and_password_are_tried() {
    let (url, told) = server("220 hello\r\n", &[("EHLO", "250-hi\r\n250 AUTH PLAIN LOGIN\r\n"), ("AUTH", "235 yes\r\n")]).await;
    let found = SmtpMailer::new(&with_login(&url)).unwrap().probe().await.unwrap();
    assert!(found.contains(&("user", "falconer is taken, with this password".to_owned())), "{found:?}");
    assert!(found.contains(&("TLS", "none, on this machine itself".to_owned())), "{found:?}");
    let transcript_text = told.await.unwrap();
    assert!(
        transcript_text.contains("AUTH PLAIN") && transcript_text.contains("QUIT") && !transcript_text.contains("MAIL FROM"),
        "{transcript_text}"
    );
    let (url, _told) = server("220 hello\r\n", &[("EHLO", "250-hi\r\n250 AUTH PLAIN\r\n"), ("AUTH", "535 canary\r\n")]).await;
    let error = SmtpMailer::new(&with_login(&url)).unwrap().probe().await.unwrap_err();
    assert_eq!(error, MailError::Refused(535));
    let (url, _told) = server("220 hello\r\n", &[("EHLO", "250-hi\r\n250 AUTH CRAM-MD5\r\n")]).await;
    assert_eq!(SmtpMailer::new(&with_login(&url)).unwrap().probe().await.unwrap_err(), MailError::NoAuth);
}

/// Whoever offers STARTTLS has to be who it says, on this machine too.
#[tokio::test]
async fn tls_that_fails_is_not_gone_on_without() {
    let answers: &[(&str, &str)] = &[("EHLO", "250-hi\r\n250 STARTTLS\r\n"), ("STARTTLS", "220 go on\r\n")];
    let (url, told) = server("220 hello\r\n", answers).await;
    let mailer = SmtpMailer::new(&with_login(&url)).unwrap().within(Duration::from_secs(5));
    mailer.send(&mail()).await.unwrap_err();
    let transcript_text = told.await.unwrap();
    assert!(
        transcript_text.contains("STARTTLS") && !transcript_text.contains("AUTH") && !transcript_text.contains("MAIL"),
        "{transcript_text}"
    );
    let (url, transcript_text) = server("220 hello\r\n", &[("EHLO", "250-hi\r\n250 STARTTLS\r\n"), ("STARTTLS", "454 canary\r\n")]).await;
    let error = SmtpMailer::new(&with_login(&url)).unwrap().send(&mail()).await.unwrap_err();
    assert_eq!(error, MailError::Status { what: "STARTTLS", status: 454 });
    assert!(!transcript_text.await.unwrap().contains("MAIL"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_a_while() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mailer = SmtpMailer::new(&settings(&url)).unwrap().within(Duration::from_millis(50));
    assert!(matches!(mailer.send(&mail()).await.unwrap_err(), MailError::TooSlow(_)));
    let nobody = HeldPort::new();
    let url = format!("smtp://{}", nobody.address());
    assert!(matches!(SmtpMailer::new(&settings(&url)).unwrap().send(&mail()).await.unwrap_err(), MailError::Unreachable(_)));
}
