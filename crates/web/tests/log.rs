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
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("path=/?target=...&description=...&scope=...") && log.contains("path=/grant status=303"), "{log}");
    let token = location.split("accessToken=").nth(1).unwrap().split('&').next().unwrap();
    let mut secrets = vec!["canary", PASSWORD, token];
    secrets.extend(ann.cookies.iter().map(|(_, value)| value.as_str()));
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
