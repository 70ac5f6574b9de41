//! Clients of the configuration.

use std::collections::{BTreeMap, BTreeSet};

use falconer_store::{ClientRecord, Details, Key, RevokedCertificates, Secret, Step, StoreError};

use crate::error::{ApiError, AuthError};
use crate::node::Auth;
use crate::reserved::{self, FALCONER_CLIENTS};
use crate::settings::StaticClient;
use crate::time::MILLENNIUM_MS;

/// What a reader of the description of a client of the configuration has to know: the end of it, as the protocol has it, in Markdown.
pub const STATIC_CLIENT_NOTE: &str = "\n---\n\nThis is a **static client** inserted into this taskcluster deployment\nthrough static configuration. \
                    To modify this client you must contact the\nadministrator who deploys this taskcluster instance.";

/// Who the audit names for what happens at start-up.
const ACTOR: &str = "static/falconer/auth";

/// Refuses a configuration that would reach into what is reserved, or that no request could ever use.
pub(crate) fn check(clients: &[StaticClient]) -> Result<(), AuthError> {
    let mut seen = BTreeSet::new();
    for client in clients {
        let id = client.client_id.as_str();
        let refuse = |why: &str| Err(AuthError::Configuration(format!("static client `{id}`: {why}")));
        if !id.starts_with("static/") || id.len() == "static/".len() {
            return refuse("the clientId has to begin with `static/`");
        }
        if id.starts_with(FALCONER_CLIENTS) {
            return refuse("`static/falconer/` is reserved");
        }
        if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&b)) {
            return refuse("a clientId has only the characters A-Z a-z 0-9 ! @ / : . + | _ -");
        }
        if !seen.insert(id) {
            return refuse("it is there twice");
        }
        let token = client.access_token.expose();
        if !(22..=66).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return refuse("the access token has to be 22 to 66 characters of A-Z a-z 0-9 _ -");
        }
        if let Some(bad) = client.scopes.iter().find(|s| !falconer_scopes::is_valid_scope(s)) {
            return refuse(&format!("`{}` is not a scope", bad.escape_debug()));
        }
        if client.scopes.iter().any(|s| reserved::is_reserved_scope(s)) {
            return refuse("`assume:grant:` is reserved");
        }
    }
    Ok(())
}

impl Auth {
    /// Makes the stored `static/` clients match the configuration; `static/falconer/` is left alone. No clock stops it: a client that was taken out of the
    /// configuration, or whose token was, must not go on because of that.
    pub(crate) async fn synchronise_static_clients(&self) -> Result<(), AuthError> {
        // Another process may be doing the same on the same store.
        for _ in 0..4 {
            let snapshot = self.directory();
            let now_ms = self.node.believed_ms(&snapshot);
            let stored: BTreeMap<String, ClientRecord> = snapshot
                .clients("static/")
                .filter(|client| !client.starts_with(FALCONER_CLIENTS))
                .map(|client| (client.id(), client.record()))
                .collect();
            let wanted: Vec<ClientRecord> = self
                .node
                .settings
                .static_clients
                .iter()
                .map(|client| record_of(client, stored.get(client.client_id.as_str()), now_ms))
                .collect();
            let same = wanted.len() == stored.len() && wanted.iter().all(|w| stored.get(w.client_id.as_str()) == Some(w));
            if same {
                return Ok(());
            }
            if let Some(ahead_ms) = self.clock_ahead_ms() {
                let warning = ApiError::ClockAhead { ahead_ms };
                tracing::warn!("the static clients have changed, which is stored with the time of the last change before. {warning}");
            }
            let depends_on = stored.keys().cloned().chain(wanted.iter().map(|w| w.client_id.clone())).map(Key::Client).collect();
            let step = Step {
                decided_at: snapshot.revision(),
                depends_on,
                at_ms: now_ms,
                actor: ACTOR.to_owned(),
                grant: None,
                action: "updated".to_owned(),
                detail: None,
                details: Details::default(),
            };
            let outcome = self.node.store.replace_static_clients(&step, &wanted).await;
            self.node.catch_up_in_turn().await?;
            match outcome {
                Ok(_) => return Ok(()),
                Err(StoreError::Stale) => (),
                Err(error) => return Err(error.into()),
            }
        }
        Err(AuthError::Store(StoreError::Stale))
    }
}

/// The record that the configuration asks for: what is stored, where the difference does not matter, so that an unchanged configuration
/// writes nothing.
fn record_of(client: &StaticClient, stored: Option<&ClientRecord>, now_ms: i64) -> ClientRecord {
    let description = format!("{}{STATIC_CLIENT_NOTE}", client.description);
    let access_token = Secret::new(client.access_token.expose());
    let fresh = ClientRecord {
        client_id: client.client_id.clone(),
        description: description.clone(),
        access_token: access_token.clone(),
        expires_us: now_ms.saturating_add(MILLENNIUM_MS).saturating_mul(1000),
        created_ms: now_ms,
        last_modified_ms: now_ms,
        last_date_used_ms: now_ms,
        last_rotated_ms: now_ms,
        delete_on_expiration: false,
        scopes: client.scopes.clone(),
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    };
    let Some(stored) = stored else { return fresh };
    let same_token = stored.access_token.same_as(&access_token);
    // One that does not open here may well be the same.
    let other_token = same_token == Some(false);
    let same = same_token == Some(true)
        && stored.scopes == client.scopes
        && stored.description == description
        && stored.grant.is_none()
        && !stored.disabled
        && !stored.delete_on_expiration;
    ClientRecord {
        expires_us: stored.expires_us,
        created_ms: stored.created_ms,
        last_date_used_ms: stored.last_date_used_ms,
        last_rotated_ms: if other_token { now_ms } else { stored.last_rotated_ms },
        last_modified_ms: if same { stored.last_modified_ms } else { now_ms },
        // What was revoked of one token's certificates stays revoked for as long as that token may count.
        revoked: if other_token { fresh.revoked } else { stored.revoked.clone() },
        ..fresh
    }
}
