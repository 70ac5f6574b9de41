//! `falconer clock accept` beside the real server: one change while the clock was ahead shut everybody out for as long, and no command helped.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::patience::{Lines, eventually};
use crate::support::user::local;
use crate::support::{Server, falconer, http, init};
use falconer_client::{Call, Method};
use falconer_store::{Details, KeyRing, RoleRecord, Step, Store};
use falconer_store_sqlite::SqliteStore;

/// A change of two hours from now, as a server whose clock is ahead would make it.
async fn change_ahead_of_time(data: &Path) {
    let keys = KeyRing::parse(&std::fs::read_to_string(data.join("falconer.keys")).unwrap()).unwrap();
    // A role holds nothing that is sealed.
    let store = SqliteStore::open_beside(&data.join("falconer.sqlite"), keys, Arc::new(|bytes: &mut [u8]| bytes.fill(1))).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the server under test has the system's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at_ms = i64::try_from(now.as_millis()).unwrap() + 2 * 3_600_000;
    let step = Step {
        decided_at: store.revision().await.unwrap(),
        depends_on: Vec::new(),
        at_ms,
        actor: "somebody".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    };
    let role = RoleRecord {
        role_id: "ahead".to_owned(),
        scopes: Vec::new(),
        description: String::new(),
        created_ms: at_ms,
        last_modified_ms: at_ms,
    };
    store.insert_role(&step, &role).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_present_time_is_accepted_beside_a_server() {
    let data = tempfile::tempdir().unwrap();
    let root = init(data.path());
    change_ahead_of_time(data.path()).await;
    let mut command = falconer();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path()).stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "the log");
    let said = log.with("of its last change");
    for words in ["ERROR", "1 hour 59 minutes behind", "`falconer clock accept`"] {
        assert!(said.contains(words), "it is said at the start: {said}");
    }
    let heartbeat = async || {
        let answer = http().get(format!("{}/__heartbeat__", server.root_url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = heartbeat().await;
    assert!(status == 503 && text.contains("1 hour 59 minutes behind"), "{status} {text}");
    let output = local(data.path(), &["clock", "accept"]).ok();
    assert!(output.contains("before") && output.contains("accepted"), "{output}");
    tokio::task::block_in_place(|| {
        eventually("the server takes it over", || {
            let (status, _) = tokio::runtime::Handle::current().block_on(heartbeat());
            (status == 200).then_some(())
        });
    });
    let call = Call { method: Method::GET, service: "auth", version: "v1", route: "/scopes/current".to_owned(), query: Vec::new() };
    let scopes = server.client(&root).call(&call, None).await.unwrap();
    assert!(scopes["scopes"].as_array().is_some_and(|scopes| scopes.iter().any(|scope| scope == "*")), "{scopes}");
}
