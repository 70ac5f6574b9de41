//! Metrics of the real binary: what was asked of it is what it tells, to whom it should, and nothing else.

use std::collections::BTreeMap;

use crate::support::{Server, init};

/// Families and labels to values, of a text that is held against the format on the way.
fn read(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            assert!(["HELP ", "TYPE ", "UNIT ", "EOF"].iter().any(|word| comment.starts_with(word)), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("falconer_") || name.starts_with("process_"), "{line}");
        assert!(values.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} is there twice");
    }
    values
}

#[tokio::test]
async fn what_was_asked_is_what_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start_with(&data, &["--metrics-listen", "127.0.0.1:0"]);
    let url = server.printed.iter().find_map(|line| line.strip_prefix("metrics at ")).expect("it says where").to_owned();
    let http = crate::support::http();

    let client = server.client(&root);
    for _ in 0..3 {
        client.list_roles().await.unwrap();
    }
    let verify = |authorization: &str| {
        let parts = format!(r#"{{"method":"get","resource":"/","host":"a.example","port":443{authorization}}}"#);
        let url = format!("{}/api/auth/v1/authenticate-hawk", server.root_url);
        http.post(url).header("content-type", "application/json").body(parts).send()
    };
    for _ in 0..5 {
        verify("").await.unwrap().error_for_status().unwrap();
    }
    verify(r#","authorization":"Hawk id=\"canary-id\"""#).await.unwrap().error_for_status().unwrap();
    http.get(format!("{}/canary-page?canary=canary", server.root_url)).send().await.unwrap();
    http.get(format!("{}/api/auth/v1/canary-path", server.root_url)).send().await.unwrap();

    let answer = http.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = answer.text().await.unwrap();
    let values = read(&text);
    for (name, value) in [
        (r#"falconer_requests_total{service="auth",method="listRoles",status="2xx"}"#, 3.0),
        (r#"falconer_requests_total{service="auth",method="authenticateHawk",status="2xx"}"#, 6.0),
        (r#"falconer_requests_total{service="",method="page",status="4xx"}"#, 1.0),
        (r#"falconer_requests_total{service="",method="api",status="4xx"}"#, 1.0),
        (r#"falconer_verdicts_total{verdict="no_auth",reason=""}"#, 5.0),
        (r#"falconer_verdicts_total{verdict="failed",reason="malformed"}"#, 1.0),
        (r#"falconer_request_duration_seconds_count{kind="verify"}"#, 6.0),
        (r#"falconer_request_duration_seconds_bucket{le="+Inf",kind="verify"}"#, 6.0),
        (r#"falconer_build_info{version="0.1.0"}"#, 1.0),
        ("falconer_clients", 1.0),
        ("falconer_roles", 2.0),
        ("falconer_connections_refused_total", 0.0),
        ("falconer_clock_is_behind", 0.0),
        ("falconer_revisions_behind", 0.0),
        ("falconer_records_followed_total", 0.0),
        ("falconer_full_loads_total", 1.0),
        ("falconer_followers", 0.0),
        ("falconer_follower_resets_total", 0.0),
    ] {
        assert_eq!(values.get(name), Some(&value), "{name}\n{text}");
    }
    assert!(values["falconer_connections"] >= 1.0 && values["falconer_expansions_limit_bytes"] > 1e6, "{text}");
    assert!(values["falconer_expansions_hits_total"] >= 1.0, "the same scopes were expanded several times\n{text}");
    assert!(values.keys().any(|name| name.starts_with("falconer_history_info{epoch=\"")), "{text}");
    if cfg!(target_os = "linux") {
        assert!(values["process_resident_memory_bytes"] > 1e6 && values["process_open_fds"] > 2.0, "{text}");
        assert!(values.contains_key("process_cpu_seconds_total"), "{text}");
    }
    for secret in ["canary", &root.access_token, &root.client_id, "static/"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    let elsewhere = url.replace("/metrics", "/");
    assert_eq!(http.get(&elsewhere).send().await.unwrap().status(), 404, "nothing else is there");
    assert_eq!(http.get(format!("{}/metrics", server.root_url)).send().await.unwrap().status(), 404, "nor is it on the public port");
    assert_eq!(server.end(), Some(0));
}

#[test]
fn nobody_is_told_unless_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let server = Server::start(&data);
    assert!(!server.printed.iter().any(|line| line.contains("metrics")), "{:?}", server.printed);
    assert_eq!(server.raw(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").0, 404);
}
