//! What the tests of this crate share.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use falconer_store::{ClientRecord, Details, KeyRing, RevokedCertificates, RoleRecord, Secret, Step, Store};
use falconer_store_sqlite::{Randomness, SqliteStore};

pub mod writers;

pub const NOW: i64 = 1_700_000_000_000;

/// How many of something: what the environment says, for a soak, or this.
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

pub fn keys() -> KeyRing {
    KeyRing::from_bytes("test", [7; 32]).unwrap()
}

/// Nonces that never repeat, and are the same in each run.
pub fn random() -> Randomness {
    let next = AtomicU64::new(1);
    Arc::new(move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(8) {
            let value = next.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.iter_mut().zip(value).for_each(|(place, byte)| *place = byte);
        }
    })
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, keys(), random()).unwrap()
}

pub async fn step(store: &dyn Store, action: &str) -> Step {
    Step {
        decided_at: store.revision().await.unwrap(),
        depends_on: vec![],
        at_ms: NOW,
        actor: "test/actor".into(),
        grant: None,
        action: action.into(),
        detail: None,
        details: Details::default(),
    }
}

pub fn client(client_id: &str) -> ClientRecord {
    ClientRecord {
        client_id: client_id.into(),
        description: format!("about {client_id}"),
        access_token: Secret::new(format!("token-of-{client_id}")),
        expires_us: 1_800_000_000_123_456,
        created_ms: NOW,
        last_modified_ms: NOW,
        last_date_used_ms: NOW,
        last_rotated_ms: NOW,
        delete_on_expiration: false,
        scopes: vec!["b:*".into(), "a:1".into()],
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    }
}

pub fn role(role_id: &str) -> RoleRecord {
    RoleRecord { role_id: role_id.into(), scopes: vec!["a".into()], description: String::new(), created_ms: NOW, last_modified_ms: NOW }
}
