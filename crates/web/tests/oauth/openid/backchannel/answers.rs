//! What applications answer that are told that somebody has signed out, and what comes of it: over real connections, and by a clock that is turned on.

use super::*;
use falconer_login::http::{HttpLimits, WebHttp};
use rustls::{ClientConfig, RootCertStore};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What is counted: delivered, refused, failed.
type Counted = (u64, u64, u64);

/// What applications answer, what comes of it, and what is counted.
pub const ANSWERS: [(&str, &str, &str, Counted); 10] = [
    ("Back-Channel 2.8", "200", "it knows", (1, 0, 0)),
    ("Back-Channel 2.8", "204", "it knows", (1, 0, 0)),
    ("Back-Channel 2.8", "400", "it refuses; the log says so", (0, 1, 0)),
    ("Back-Channel 2.8", "404", "another try", (0, 0, 1)),
    ("Back-Channel 2.8", "501", "another try", (0, 0, 1)),
    ("Back-Channel 2.8", "302 to an address inside", "not followed, and another try", (0, 0, 1)),
    ("Back-Channel 2.5", "no answer", "another try", (0, 0, 1)),
    ("Back-Channel 2.5", "half a head, and then nothing", "another try", (0, 0, 1)),
    ("Back-Channel 2.5", "an answer without an end", "another try", (0, 0, 1)),
    ("Back-Channel 2.5", "no HTTP", "another try", (0, 0, 1)),
];

#[tokio::test]
async fn who_does_not_answer_is_told_later_and_at_last_no_more() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    world.signs_in(&mut ann, "told").await;
    signs_out(&mut ann).await;
    *world.applications.status.lock().unwrap() = Some(503);
    assert_eq!((world.send().await, world.send().await), (1, 0));
    for pause_ms in [10_000, 60_000, 300_000, 1_800_000, 7_200_000] {
        world.site.clock.0.fetch_add(pause_ms - 1, Ordering::SeqCst);
        assert_eq!(world.send().await, 0, "{pause_ms}");
        world.site.clock.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(world.send().await, 1, "{pause_ms}");
    }
    world.site.clock.0.fetch_add(10 * DAY_MS, Ordering::SeqCst);
    assert_eq!(world.send().await, 0);
    assert_eq!(world.site.web.grants.logout_figures(), LogoutFigures { delivered: 0, refused: 0, failed: 5, given_up: 1 });
    let sent = world.applications.sent.lock().unwrap().clone();
    let mut names = std::collections::BTreeSet::new();
    for (_, _, token) in &sent {
        let claims = crate::openid::decode(token.split('.').nth(1).unwrap());
        names.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!((sent.len(), names.len()), (6, 6), "each has a name of its own");
}

/// Over real connections, with a limit of time that ends a try which would never end.
#[tokio::test]
async fn applications_that_answer_as_they_like_hold_nothing_up() {
    for (number, (section, what, _, counted)) in ANSWERS.iter().enumerate() {
        let world = World::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = connection.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8(head).unwrap();
                assert!(head.starts_with("POST /out HTTP/1.1\r\n"), "{head}");
                let empty = "Content-Length: 0\r\nConnection: close\r\n\r\n";
                let sent = match number {
                    5 => format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/inside\r\n{empty}"),
                    6 => String::new(),
                    7 => "HTTP/1.1 200 OK\r\nContent-".to_owned(),
                    8 => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(10_000)),
                    9 => "what?\r\n\r\n".to_owned(),
                    _ => format!("HTTP/1.1 {what} Answer\r\n{empty}"),
                };
                let _ = connection.write_all(sent.as_bytes()).await;
                if matches!(number, 6 | 7) {
                    std::future::pending::<()>().await;
                }
                // Read to its end, so that the answer is not lost with what was not read.
                let _ = connection.read(&mut [0; 4096]).await;
            }
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        // Long where an answer comes, however busy the machine is.
        let total = Duration::from_secs(if matches!(number, 6 | 7) { 1 } else { 60 });
        let http = WebHttp::new(&tls, HttpLimits { total, bytes: 4_000 }).unwrap();
        world.configure(&[&host], ApplicationsHttp(Arc::new(http)));
        world.put("told", &format!("http://{host}/out")).await;
        let mut ann = world.site.ann().await;
        world.signs_in(&mut ann, "told").await;
        signs_out(&mut ann).await;
        assert_eq!(world.send().await, 1, "{section}: {what}");
        assert_eq!(world.figures(), *counted, "{section}: {what}");
        assert_eq!(*asked.lock().unwrap(), 1, "{section}: {what}");
    }
}
