//! `audit.retention` in the real server: what is older goes at the start, what is younger stays, and without the setting everything does.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::support::patience::{output_of, patience};
use crate::support::{Init, Server, falconer, init};
use falconer_client::{Call, Method};
use falconer_store::{Details, GrantRecord, KeyRing, RoleRecord, Step, Store, conformance};
use falconer_store_sqlite::SqliteStore;
use serde_json::Value;

const DAY_MS: i64 = 86_400_000;

/// Writes roles of some days ago, as a server of then would have, more than one step of the upkeep takes.
async fn long_ago(data: &Path, days: i64, count: usize) {
    let keys = KeyRing::parse(&std::fs::read_to_string(data.join("falconer.keys")).unwrap()).unwrap();
    // Roles hold nothing that is sealed.
    let store = SqliteStore::open_beside(&data.join("falconer.sqlite"), keys, Arc::new(|bytes: &mut [u8]| bytes.fill(1))).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the server under test has the system's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at_ms = i64::try_from(now.as_millis()).unwrap() - days * DAY_MS;
    let step = Step {
        decided_at: store.revision().await.unwrap(),
        depends_on: Vec::new(),
        at_ms,
        actor: "somebody/then".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    };
    let role = |i: usize| RoleRecord {
        role_id: format!("of-{days}-days-ago:{i}"),
        scopes: Vec::new(),
        description: String::new(),
        created_ms: at_ms,
        last_modified_ms: at_ms,
    };
    store.insert_roles(&step, &(0..count).map(role).collect::<Vec<_>>()).await.unwrap();
    let ended = GrantRecord { expires_ms: at_ms, ..conformance::sample_grant(&format!("of-{days}-days-ago"), "") };
    let step = Step { decided_at: store.revision().await.unwrap(), ..step };
    store.insert_grant(&step, &ended, None).await.unwrap();
}

/// The ids of the rows of grants that there are.
fn grants(data: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(data.join("falconer.sqlite")).unwrap();
    let mut rows = connection.prepare("SELECT id FROM grants ORDER BY id").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// How many rows the history has of the role.
async fn history(server: &Server, root: &Init, id: &str) -> usize {
    let route = format!("/audit/role/{}", falconer_client::encode_segment(id).unwrap());
    let call = Call { method: Method::GET, service: "auth", version: "v1", route, query: Vec::new() };
    let answer: Value = server.client(root).call(&call, None).await.unwrap();
    answer["auditHistory"].as_array().unwrap().len()
}

#[tokio::test]
async fn old_rows_go_where_that_is_configured_and_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = init(folder.path());
    long_ago(folder.path(), 40, 2500).await;
    long_ago(folder.path(), 20, 1).await;
    let server = Server::start(folder.path());
    assert_eq!(history(&server, &root, "of-40-days-ago:2499").await, 1, "it is kept for ever unless told otherwise");
    assert_eq!(server.end(), Some(0));
    assert_eq!(grants(folder.path()), ["of-20-days-ago", "of-40-days-ago"]);

    let config = folder.path().join("falconer.toml");
    std::fs::write(&config, "[audit]\nretention = '30 days'\n").unwrap();
    let server = Server::start_with(folder.path(), &["--config", config.to_str().unwrap()]);
    let deadline = Instant::now() + patience();
    while history(&server, &root, "of-40-days-ago:2499").await + history(&server, &root, "of-40-days-ago:0").await > 0 {
        assert!(Instant::now() < deadline, "the old rows are still there after {:?}", patience());
        tokio::task::yield_now().await;
    }
    assert_eq!(history(&server, &root, "of-20-days-ago:0").await, 1);
    // Rows of ended grants stayed for ever. Whoever still uses one is told why it does not count for 31 days.
    while grants(folder.path()).len() > 1 {
        assert!(Instant::now() < deadline, "the old grant is still there after {:?}", patience());
        tokio::task::yield_now().await;
    }
    assert_eq!(grants(folder.path()), ["of-20-days-ago"]);
    // The role itself has nothing to do with its history.
    assert!(server.client(&root).role("of-40-days-ago:2499").await.unwrap().is_some());
}

#[test]
fn a_retention_that_is_none_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("falconer.toml");
    for (retention, said) in [("soon", "audit.retention"), ("1 hour", "less than a day"), ("-1 year", "less than a day")] {
        std::fs::write(&config, format!("[audit]\nretention = '{retention}'\n")).unwrap();
        let output = output_of(falconer().args(["config", "check", "--config"]).arg(&config));
        assert_eq!(output.status.code(), Some(1), "{retention}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(said) && text.contains("forever"), "{text}");
    }
}
