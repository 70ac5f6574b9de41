//! A client that is there, without anybody having made it.
#![allow(dead_code, clippy::unwrap_used)]

use falconer_auth::{Auth, DAY_MS};
use falconer_store::{ClientRecord, Details, RevokedCertificates, Secret, Step, Store};

/// Writes it behind auth's back, and lets auth catch up. It holds for a year.
pub async fn make_client(store: &dyn Store, auth: &Auth, now_ms: i64, client_id: &str, scopes: &[&str]) {
    let record = ClientRecord {
        client_id: client_id.to_owned(),
        description: String::new(),
        access_token: Secret::new("x".repeat(44)),
        expires_us: (now_ms + 365 * DAY_MS) * 1000,
        created_ms: now_ms,
        last_modified_ms: now_ms,
        last_date_used_ms: now_ms,
        last_rotated_ms: now_ms,
        delete_on_expiration: false,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    };
    let step = Step {
        decided_at: store.revision().await.unwrap(),
        depends_on: Vec::new(),
        at_ms: now_ms,
        actor: "test".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    };
    store.insert_client(&step, &record).await.unwrap();
    auth.catch_up().await.unwrap();
}
