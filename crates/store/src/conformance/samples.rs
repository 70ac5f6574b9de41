//! Records and steps for the suite.

use crate::{
    AccountRecord, Addition, ClientRecord, Details, GrantRecord, IdentityRecord, IssuerRecord, Key, Revision, RevokedCertificates,
    RevokedSeed, RoleRecord, Secret, SessionRecord, SignInMethod, Step, Store,
};

/// Any time; the suite has no clock.
pub(super) const NOW: i64 = 1_700_000_000_000;

/// A step that is decided now and depends on nothing.
pub(super) async fn step(store: &dyn Store, action: &str) -> Step {
    decided(store.revision().await.unwrap(), &[], action)
}

pub(super) fn decided(at: Revision, depends_on: &[Key], action: &str) -> Step {
    Step {
        decided_at: at,
        depends_on: depends_on.to_vec(),
        at_ms: NOW,
        actor: "suite/actor".into(),
        grant: None,
        action: action.into(),
        detail: None,
        details: Details::default(),
    }
}

pub(super) fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// Certificates that were revoked, in odd words.
pub(super) fn revoked() -> RevokedCertificates {
    let seeds = [("Seed\"\\\n\u{1f600}", i64::MAX), ("", -1)];
    let seeds = seeds.map(|(seed, until_ms)| RevokedSeed { seed: seed.to_owned(), until_ms });
    RevokedCertificates { before_ms: Some(NOW), seeds: seeds.into() }
}

pub(super) fn client(client_id: &str) -> ClientRecord {
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
        scopes: texts(&["b:*", "a:1"]),
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    }
}

pub(super) fn role(role_id: &str) -> RoleRecord {
    RoleRecord {
        role_id: role_id.into(),
        scopes: texts(&["z", "a:<..>"]),
        description: format!("about {role_id}"),
        created_ms: NOW,
        last_modified_ms: NOW,
    }
}

pub(super) fn issuer(name: &str) -> IssuerRecord {
    IssuerRecord { name: name.into(), token: Secret::new(format!("token-of-{name}")), created_ms: NOW, retired_ms: None }
}

/// A grant that is in use. Tests elsewhere change of it what they are about.
pub fn grant(id: &str, nonce: &str) -> GrantRecord {
    GrantRecord {
        id: id.into(),
        identity: "local/ann".into(),
        target: "https://notes.example.com/app?x=1".into(),
        target_origin: "https://notes.example.com".into(),
        client_id: format!("local/ann/notes.example.com/{id}"),
        scopes: texts(&["notes:*"]),
        everything: true,
        identity_for: texts(&["https://notes.example.com", "https://api.notes.example.com"]),
        created_ms: NOW,
        start_ms: NOW - 300_000,
        expires_ms: NOW + 86_400_000,
        issuer: "static/falconer/grants-1".into(),
        seed: format!("seed-of-{id}"),
        nonce: nonce.into(),
        choices: "hash".into(),
        label: "Notes".into(),
        name: None,
        parent: None,
        purpose: None,
        application: None,
        widens: None,
        last_used_ms: None,
        use_count: 0,
        revoked_ms: None,
        revoked_by: None,
        reason: None,
    }
}

pub(super) fn identity(identity: &str) -> IdentityRecord {
    let (provider, subject) = identity.split_once('/').unwrap();
    IdentityRecord {
        identity: identity.into(),
        person: format!("person-of-{identity}"),
        provider: provider.into(),
        subject: subject.into(),
        display_name: "Ann Ωmega".into(),
        email: Some("ann@example.com".into()),
        email_verified: true,
        username: Some("ann".into()),
        groups: texts(&["staff"]),
        scopes: texts(&["assume:local-group:staff"]),
        additions: vec![Addition {
            provider: "ldap".into(),
            groups: texts(&["vpn"]),
            scopes: texts(&["assume:ldap-group:vpn"]),
            refreshed_ms: NOW - 1,
        }],
        refreshed_ms: NOW,
        disabled: false,
        gone: false,
    }
}

pub(super) fn account(name: &str) -> AccountRecord {
    AccountRecord {
        name: name.into(),
        display_name: "Ann Ωmega".into(),
        email: None,
        email_within: None,
        groups: texts(&["staff"]),
        scopes: texts(&["auth:*"]),
        disabled: false,
        deleted: false,
        created_ms: NOW,
        last_modified_ms: NOW,
    }
}

/// What is kept of every account's password.
pub(super) const HASH: Option<&str> = Some("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA");

/// A session of a browser.
pub fn session(id_hash: &str, identity: &str) -> SessionRecord {
    SessionRecord {
        id_hash: id_hash.into(),
        identity: identity.into(),
        method: SignInMethod::Password,
        factors: 1,
        csrf: format!("csrf-of-{id_hash}"),
        created_ms: NOW,
        proved_ms: NOW - 7,
        last_seen_ms: NOW,
        expires_ms: NOW + 1000,
        user_agent: "Browser/1.0 (Ω)".into(),
        address: "2001:db8::7".into(),
    }
}
