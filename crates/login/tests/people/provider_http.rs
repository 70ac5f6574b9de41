//! The way out to providers, over real connections to this machine: what a provider may not do with it.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::HeldPort;
use falconer_login::http::{AllowedAddresses, HttpError, HttpLimits, ProviderAnswer, ProviderHttp, ProviderRequest, WebHttp};
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

async fn ask_with(http: &WebHttp, url: &str, allowed_addresses: AllowedAddresses) -> Result<ProviderAnswer, HttpError> {
    let request = ProviderRequest::new(url.parse().unwrap(), allowed_addresses);
    http.send(ProviderRequest { authorization: Some(Zeroizing::new("Bearer x".into())), ..request }).await
}

async fn ask(url: &str, allowed_addresses: AllowedAddresses) -> Result<ProviderAnswer, HttpError> {
    ask_with(&http(Duration::from_secs(60)), url, allowed_addresses).await
}

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n")
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let body = "x".repeat(BYTES);
    let headers = format!("Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: {BYTES}\r\n");
    let address = server(vec![head("403 Forbidden", &headers), body.clone()], true).await;
    let answer = ask(&format!("http://{address}/x"), AllowedAddresses::Own).await.unwrap();
    assert_eq!((answer.status, answer.content_type.as_str()), (403, "application/json"));
    assert_eq!(answer.body, body.into_bytes());
}

/// The server of these two tests, and what it was asked.
async fn send_request(headers: &str, request: impl FnOnce(ProviderRequest) -> ProviderRequest) -> (ProviderAnswer, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap()).parse().unwrap();
    let answer = head("200 OK", &format!("{headers}Content-Length: 0\r\n"));
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(connection.read_u8().await.unwrap());
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let answer = http(Duration::from_secs(60)).send(request(ProviderRequest::new(url, AllowedAddresses::Own))).await.unwrap();
    (answer, server.await.unwrap())
}

#[tokio::test]
async fn headers_that_say_something_are_read_and_no_others() {
    let headers = format!(
        "Link: <http://a/?page=2>; rel=\"next\"\r\nLink: <http://a/?page=9>; rel=\"last\"\r\nX-GitHub-SSO: {}\r\nSet-Cookie: a=b\r\nRetry-After: 7\r\n",
        "x".repeat(4097)
    );
    let (answer, _) = send_request(&headers, |request| request).await;
    assert_eq!(answer.header("link"), Some("<http://a/?page=2>; rel=\"next\", <http://a/?page=9>; rel=\"last\""));
    assert_eq!((answer.header("retry-after"), answer.header("x-github-sso"), answer.headers.len()), (Some("7"), None, 2));
}

#[tokio::test]
async fn a_key_goes_into_its_own_header() {
    let key = ("X-API-Key".to_owned(), Zeroizing::new("canary".to_owned()));
    let (_, request) = send_request("", |request| ProviderRequest { key: Some(key), ..request }).await;
    assert!(request.contains("x-api-key: canary\r\n") && !request.contains("authorization"), "{request}");
    for wrong in ["a\nb", "a\0b"] {
        let key = Some(("X-API-Key".to_owned(), Zeroizing::new(wrong.to_owned())));
        let request = ProviderRequest { key, ..ProviderRequest::new("http://127.0.0.1:1/".parse().unwrap(), AllowedAddresses::Own) };
        let answer = http(Duration::from_secs(60)).send(request).await;
        assert_eq!(answer, Err(HttpError::Unreachable("a credential that no header can hold".to_owned())));
    }
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
        assert_eq!(ask(&format!("http://{address}/"), AllowedAddresses::Own).await, Err(HttpError::TooLarge));
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
        assert_eq!(ask_with(&soon, &format!("http://{address}/"), AllowedAddresses::Own).await, Err(HttpError::TooSlow));
    }
}

/// Each of them would take the authorization of the client along, or lead inside.
#[tokio::test]
async fn no_redirect_is_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let address = server(vec![head(status, "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n")], true).await;
        assert_eq!(ask(&format!("http://{address}/"), AllowedAddresses::Own).await, Err(HttpError::Redirected), "{status}");
    }
}

#[tokio::test]
async fn what_a_provider_names_does_not_lead_inside() {
    let address = server(vec![head("200 OK", "Content-Length: 0\r\n")], true).await;
    let port = address.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
    {
        let answer = ask(&format!("http://{host}:{port}/"), AllowedAddresses::Public).await;
        assert!(matches!(answer, Err(HttpError::Inside(_))), "{host}: {answer:?}");
    }
    for host in ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:169.254.169.254]"] {
        let answer = ask(&format!("http://{host}:{port}/"), AllowedAddresses::Own).await;
        assert!(matches!(answer, Err(HttpError::Inside(_))), "{host}: {answer:?}");
    }
    assert_eq!(ask(&format!("http://localhost:{port}/"), AllowedAddresses::Own).await.unwrap().status, 200);
}

#[tokio::test]
async fn whoever_can_not_be_reached_is_named_without_what_was_sent() {
    let plain = server(vec![head("200 OK", "Content-Length: 0\r\n")], false).await;
    let nonsense = server(vec!["nonsense\r\n\r\n".to_owned()], false).await;
    let nobody = HeldPort::new();
    for url in [
        format!("https://{plain}/?code=canary"),
        format!("http://{nonsense}/?code=canary"),
        format!("http://{}/?code=canary", nobody.address()),
    ] {
        let answer = ask(&url, AllowedAddresses::Own).await;
        let why = match &answer {
            Err(HttpError::Unreachable(why)) => why,
            Err(HttpError::Tls(problem)) => &problem.text,
            _ => panic!("{url}: {answer:?}"),
        };
        assert!(!why.contains("canary"), "{url}: {why}");
    }
}
