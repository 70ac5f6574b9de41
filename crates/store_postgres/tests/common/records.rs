//! Small records, and looks at who waits for whom.

use std::time::Duration;

use falconer_store::{
    ClientRecord, Details, GrantSecretKind, GrantSecretRecord, Revision, RevokedCertificates, RoleRecord, Secret, Step, Store,
};
use falconer_store_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls};

pub const LATER_MS: i64 = 9_000_000_000_000;

/// A step that is decided at the revision of the store.
pub async fn step(store: &PostgresStore) -> Step {
    step_at(store.revision().await.unwrap())
}

pub fn step_at(decided_at: Revision) -> Step {
    Step {
        decided_at,
        depends_on: Vec::new(),
        at_ms: 1,
        actor: "test".into(),
        grant: None,
        action: "created".into(),
        detail: None,
        details: Details::default(),
    }
}

pub fn role(id: &str) -> RoleRecord {
    RoleRecord { role_id: id.to_owned(), scopes: Vec::new(), description: String::new(), created_ms: 1, last_modified_ms: 1 }
}

pub fn client(id: &str) -> ClientRecord {
    ClientRecord {
        client_id: id.to_owned(),
        description: String::new(),
        access_token: Secret::new("token"),
        expires_us: 1000 * LATER_MS,
        created_ms: 1,
        last_modified_ms: 1,
        last_date_used_ms: 1,
        last_rotated_ms: 1,
        delete_on_expiration: false,
        scopes: Vec::new(),
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    }
}

pub fn code(hash: &str) -> GrantSecretRecord {
    GrantSecretRecord {
        hash: hash.to_owned(),
        kind: GrantSecretKind::Code,
        grant: "g".to_owned(),
        application: "app".to_owned(),
        redirect_uri: String::new(),
        challenge: None,
        expires_ms: LATER_MS,
        kept_until_ms: LATER_MS,
        used_ms: None,
        resources: Vec::new(),
        jkt: None,
    }
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The process of the database whose statement waits for one of another.
pub async fn who_waits_for(looker: &Client, holder: i32) -> i32 {
    let waits = async {
        loop {
            let sql = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
            if let Some(row) = looker.query_opt(sql, &[&holder]).await.unwrap() {
                return row.get(0);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waits).await.expect("somebody waits")
}

pub async fn pid_of(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}
