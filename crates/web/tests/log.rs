//! What the log holds after signing in, granting and calling: in a binary of its own, because a process has one log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;

use site::{PASSWORD, request_for, site, with};

/// What a subscriber wrote, for looking for secrets in it.
#[derive(Clone, Default)]
struct Written(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_no_secret() {
    let written = Written::default();
    let for_log = written.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE).with_writer(move || for_log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for("https://notes.example.com/canary-target", "&scope=notes%3Acanary-scope")).await;
    let form = with(page.form("/grant"), &[("typed_host", "notes.example.com")]);
    let location = ann.post("/grant", &form).await.location().to_owned();
    ann.get("/setup?token=canary-token").await;
    ann.get("/api/auth/v1/ping?bewit=canary-bewit").await;
    // Story: the log told that a signature was refused, and nobody could see why.
    let api = |method: &str, path: &str| {
        http::Request::builder().method(method).uri(format!("/api/auth/v1{path}")).header("host", "auth.example.com")
    };
    let hawk = "Hawk id=\\\"a\\\", ts=\\\"1\\\", nonce=\\\"n\\\", mac=\\\"bWFj\\\"";
    for body in [
        format!("{{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":1,\"authorization\":\"{hawk}\"}}"),
        r#"{"method":"get","resource":"/","host":"h","port":1,"authorization":"Hawk"}"#.to_owned(),
    ] {
        site.send(api("POST", "/authenticate-hawk").header("content-type", "application/json").body(body.into()).unwrap()).await;
    }
    let signed = "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"bWFj\"";
    site.send(api("GET", "/roles/").header("authorization", signed).body(axum::body::Body::empty()).unwrap()).await;
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("path=/?target=...&description=...&scope=...") && log.contains("path=/grant status=303"), "{log}");
    for (path, status, reason) in
        [("authenticate-hawk", 200, "bad_mac"), ("authenticate-hawk", 200, "malformed"), ("roles/", 401, "other_host")]
    {
        let line = |line: &str| {
            line.contains(&format!("path=/api/auth/v1/{path} status={status}")) && line.ends_with(&format!("reason=\"{reason}\""))
        };
        assert!(log.lines().any(line), "{path} {reason}: {log}");
    }
    assert!(!log.lines().any(|line| line.contains("/ping") && line.contains("reason")), "{log}");
    let token = location.split("accessToken=").nth(1).unwrap().split('&').next().unwrap();
    let mut secrets = vec!["canary", PASSWORD, token];
    secrets.extend(ann.cookies.iter().map(|(_, value)| value.as_str()));
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
