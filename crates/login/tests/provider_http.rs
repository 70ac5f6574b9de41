//! The way out to providers, over real connections to this machine: what a provider may not do with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use falconer_login::http::{HttpError, HttpLimits, ProviderAnswer, ProviderHttp, ProviderRequest, Reach, WebHttp};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

const BYTES: usize = 1000;

/// Nobody is trusted.
fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn http(total: Duration) -> WebHttp {
    WebHttp::new(&tls(), HttpLimits { total, bytes: BYTES }).unwrap()
}

/// A server that answers each connection with these pieces, and then keeps it open, or not.
async fn server(pieces: Vec<String>, keep_open: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let pieces = pieces.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = connection.read(&mut head).await;
                for piece in pieces {
                    let _ = connection.write_all(piece.as_bytes()).await;
                }
                if keep_open {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    format!("127.0.0.1:{}", address.port())
}

async fn ask_with(http: &WebHttp, url: &str, reach: Reach) -> Result<ProviderAnswer, HttpError> {
    http.send(ProviderRequest { url: url.parse().unwrap(), reach, authorization: Some(Zeroizing::new("Bearer x".into())), form: None })
        .await
}

async fn ask(url: &str, reach: Reach) -> Result<ProviderAnswer, HttpError> {
    ask_with(&http(Duration::from_secs(60)), url, reach).await
}

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n")
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let body = "x".repeat(BYTES);
    let headers = format!("Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: {BYTES}\r\n");
    let address = server(vec![head("403 Forbidden", &headers), body.clone()], true).await;
    let answer = ask(&format!("http://{address}/x"), Reach::Own).await.unwrap();
    assert_eq!((answer.status, answer.content_type.as_str()), (403, "application/json"));
    assert_eq!(answer.body, body.into_bytes());
}

#[tokio::test]
async fn too_many_bytes_are_not_read() {
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    for pieces in [
        vec![head("200 OK", "Content-Length: 1001\r\n"), "x".repeat(1001)],
        vec![head("200 OK", "Transfer-Encoding: chunked\r\n"), chunk.repeat(11)],
        vec![head("200 OK", ""), "x".repeat(1001)],
    ] {
        // The connection stays open: what comes back is not the end of it.
        let address = server(pieces, true).await;
        assert_eq!(ask(&format!("http://{address}/"), Reach::Own).await, Err(HttpError::TooLarge));
    }
}

#[tokio::test]
async fn whoever_is_slow_is_left() {
    let soon = http(Duration::from_millis(50));
    for pieces in [
        vec![],
        vec!["HTTP/1.1 200".to_owned()],
        vec![head("200 OK", "Content-Length: 10\r\n")],
        vec![head("200 OK", "Content-Length: 10\r\n"), "x".to_owned()],
    ] {
        let address = server(pieces, true).await;
        assert_eq!(ask_with(&soon, &format!("http://{address}/"), Reach::Own).await, Err(HttpError::TooSlow));
    }
}

/// Each of them would take the authorization of the client along, or lead inside.
#[tokio::test]
async fn no_redirect_is_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let address = server(vec![head(status, "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n")], true).await;
        assert_eq!(ask(&format!("http://{address}/"), Reach::Own).await, Err(HttpError::Redirected), "{status}");
    }
}

#[tokio::test]
async fn what_a_provider_names_does_not_lead_inside() {
    let address = server(vec![head("200 OK", "Content-Length: 0\r\n")], true).await;
    let port = address.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
    {
        let answer = ask(&format!("http://{host}:{port}/"), Reach::Public).await;
        assert!(matches!(answer, Err(HttpError::Inside(_))), "{host}: {answer:?}");
    }
    for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]"] {
        let answer = ask(&format!("http://{host}:{port}/"), Reach::Own).await;
        assert!(matches!(answer, Err(HttpError::Inside(_))), "{host}: {answer:?}");
    }
    assert_eq!(ask(&format!("http://localhost:{port}/"), Reach::Own).await.unwrap().status, 200);
}

#[tokio::test]
async fn whoever_can_not_be_reached_is_named_without_what_was_sent() {
    let plain = server(vec![head("200 OK", "Content-Length: 0\r\n")], false).await;
    let nonsense = server(vec!["nonsense\r\n\r\n".to_owned()], false).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in [format!("https://{plain}/?code=canary"), format!("http://{nonsense}/?code=canary"), format!("http://{nobody}/?code=canary")]
    {
        let answer = ask(&url, Reach::Own).await;
        assert!(matches!(&answer, Err(HttpError::Unreachable(why)) if !why.contains("canary")), "{url}: {answer:?}");
    }
}
