//! Granting from the offer to the credentials at work, and taking back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod applications;
#[path = "../common/mod.rs"]
mod common;
mod keys;
mod moments;
#[path = "../../../falconer/tests/support/postgres.rs"]
mod postgres;
mod proofs;
mod races;
mod records;
mod sites;
mod tokens;

use common::{DAY_MS, Delivered, HOUR_MS, START_MS, World, asks, asks_for, filled};
use falconer_auth::{Success, Verdict};
use falconer_grants::{Choices, GrantError, GrantSettings, GrantState, Grants, RegisteredTarget};
use falconer_login::LoginError;
use falconer_scopes::ScopeSet;

/// Without what everybody has.
fn success(verdict: Verdict) -> Success {
    match verdict {
        Verdict::Success(mut success) => {
            let own: Vec<String> = success.scopes.to_vec();
            success.scopes = ScopeSet::new(own.iter().filter(|s| *s != "assume:anonymous"));
            success
        }
        other => panic!("{other:?}"),
    }
}

fn failure(verdict: Verdict) -> String {
    match verdict {
        Verdict::Failed(reason) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_granted_works_and_ends() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*&scope=secrets:get");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    assert_eq!(granted.expires_ms, START_MS + DAY_MS);
    assert!(granted.location.starts_with("https://notes.example.com/login?clientId=local%2Fann%2Fnotes.example.com%2F"));
    let delivered = Delivered::read(&granted.location);
    assert_eq!(delivered.client_id, format!("local/ann/notes.example.com/{}", granted.id));

    let success = success(world.verify(&granted.location, "notes.example.com").await);
    assert_eq!(success.scopes.to_vec(), ["auth:current-scopes", "notes:read:zap/*"]);
    assert_eq!(success.expires_ms, START_MS + DAY_MS);
    assert_eq!(success.identity, None);
    world.clock.advance(DAY_MS);
    let message = failure(world.verify(&granted.location, "notes.example.com").await);
    assert_eq!(message, format!("The grant {} has ended", granted.id));
}

#[tokio::test]
async fn everything_but_what_is_broad_is_the_default() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("");
    let offer = world.grants.offer(&ann, &request).await.unwrap();
    let broad = offer.broad.clone().unwrap();
    assert!(broad.scopes.contains(&"assume:login-identity:local/ann".to_owned()));
    assert!(broad.scopes.contains(&"auth:create-client:local/ann/*".to_owned()));
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    let verified_scopes = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(
        verified_scopes.to_vec(),
        [
            "assume:local-group:zap",
            "assume:local-user:ann",
            "auth:current-scopes",
            "auth:expand-scopes",
            "notes:read:zap/*",
            "notes:write:zap/releases",
        ]
    );
    let mut all = world.form(&ann, &request).await;
    all.broad = true;
    let granted = world.grants.grant(&ann, &request, &all, |_| ()).await.unwrap();
    let held_scopes = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(held_scopes, world.auth.person_scopes("local/ann").unwrap());
    let grants = world.grants.grants_of(&ann).await.unwrap();
    let labels: Vec<bool> = grants.iter().map(|g| g.record.everything).collect();
    assert!(labels.contains(&true) && labels.contains(&false));
}

#[tokio::test]
async fn the_host_is_typed_once_for_each_origin() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let mut form = world.form(&ann, &request).await;
    for wrong in [None, Some(""), Some("example.com"), Some("notes.example.com.evil"), Some("https://notes.example.com")] {
        form.typed_host = wrong.map(str::to_owned);
        let refused = world.grants.grant(&ann, &request, &form, |_| ()).await;
        assert!(matches!(refused, Err(GrantError::HostNotTyped(_))), "{wrong:?}");
    }
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
    assert!(world.grants.remembered_origins(&ann).await.unwrap().is_empty());

    form.typed_host = Some(" Notes.example.com ".to_owned());
    assert!(world.grants.grant(&ann, &request, &form, |_| ()).await.is_ok());
    let remembered = world.grants.remembered_origins(&ann).await.unwrap();
    assert_eq!(remembered, [("https://notes.example.com".to_owned(), START_MS)]);
    let needs = async |target: &str| world.grants.offer(&ann, &asks_for(target, "")).await.unwrap().needs_host_typed;
    assert!(!needs("https://notes.example.com/other").await);
    assert!(needs("https://notes.example.com:8443/login").await);
    assert!(needs("https://api.notes.example.com/login").await);
    let bob = world.person("bob", &[], &[]).await;
    assert!(world.grants.offer(&bob, &request).await.unwrap().needs_host_typed);

    world.grants.forget_origin(&ann, "https://notes.example.com").await.unwrap();
    assert!(needs("https://notes.example.com/login").await);
}

#[tokio::test]
async fn a_form_whose_grant_has_ended_makes_no_other() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    world.clock.advance(DAY_MS);
    assert_eq!(world.grants.grant(&ann, &request, &form, |_| ()).await.err(), Some(GrantError::Ended));
}

#[tokio::test]
async fn what_is_taken_away_is_shown_before_it_is_granted() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=assume:local-group:zap&scope=notes:write:zap/releases");
    let mut form = world.form(&ann, &request).await;
    form.ticked.remove(1);
    let Err(GrantError::Review { offer, .. }) = world.grants.grant(&ann, &request, &form, |_| ()).await else {
        panic!("granted without showing");
    };
    assert_eq!(offer.lines[0].taken_away, ["assume:local-group:zap", "notes:write:zap/releases"]);
    assert!(offer.lines[0].ticked && !offer.lines[1].ticked);
    let repeated = filled(&ann, &offer, form.nonce.clone(), &request);
    assert_eq!(repeated.ticked, form.ticked);
    let granted = world.grants.grant(&ann, &request, &repeated, |_| ()).await.unwrap();
    let verified_scopes = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(verified_scopes.to_vec(), ["auth:current-scopes", "notes:read:zap/*"]);
}

#[tokio::test]
async fn forms_that_are_not_ours_are_refused() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*&scope=secrets:get");
    let form = world.form(&ann, &request).await;
    let offer = world.grants.offer(&ann, &request).await.unwrap();
    let mut bad = Vec::new();
    for nonce in ["", "short", "no nonce of ours, no", &"a".repeat(65)] {
        bad.push({
            let mut f = form.clone();
            f.nonce = nonce.to_owned();
            f
        });
    }
    for ms in [0, -1] {
        bad.push({
            let mut f = form.clone();
            f.lifetime_ms = ms;
            f
        });
    }
    for key in ["x".to_owned(), offer.lines[1].key.clone()] {
        bad.push({
            let mut f = form.clone();
            f.ticked.push(key);
            f
        });
    }
    for choices in &bad {
        let refused = world.grants.grant(&ann, &request, choices, |_| ()).await;
        assert!(matches!(refused, Err(GrantError::BadForm(_))), "{choices:?}");
    }
    // A time that is not on offer may have been.
    for lifetime_ms in [1, 31 * DAY_MS, i64::MAX] {
        let refused = world.grants.grant(&ann, &request, &Choices { lifetime_ms, ..form.clone() }, |_| ()).await;
        assert!(matches!(refused, Err(GrantError::Correct { .. })), "{lifetime_ms}");
    }
    let mut nothing = form.clone();
    nothing.ticked.clear();
    assert!(matches!(world.grants.grant(&ann, &request, &nothing, |_| ()).await, Err(GrantError::Nothing(_))));
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
}

#[tokio::test]
async fn grants_are_listed_and_revoked_by_their_owner_only() {
    let world = World::new().await;
    let (ann, bob) = (world.ann().await, world.person("bob", &["zap"], &[]).await);
    let request = asks("&scope=notes:read:zap/*&scope=assume:local-group:zap");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    let mine = world.grants.grants_of(&ann).await.unwrap();
    let gives = world.grants.in_words(mine[0].record.scopes.iter().map(String::as_str));
    let groups: Vec<_> = gives.iter().map(|g| (g.name.as_str(), g.scopes.len())).collect();
    assert_eq!(groups, [("notes", 2), ("roles", 1)]);
    assert_eq!(mine[0].record.label, "notes.example.com");
    assert!(world.grants.grants_of(&bob).await.unwrap().is_empty());

    for id in [granted.id.as_str(), "unknown"] {
        assert!(matches!(world.grants.revoke(&bob, id).await, Err(LoginError::NotFound(_))));
    }
    success(world.verify(&granted.location, "x").await);
    world.grants.revoke(&ann, &granted.id).await.unwrap();
    world.grants.revoke(&ann, &granted.id).await.unwrap();
    assert_eq!(failure(world.verify(&granted.location, "x").await), format!("The grant {} has been revoked", granted.id));
    assert_eq!(world.grants.grants_of(&ann).await.unwrap()[0].state, GrantState::Revoked);
}

#[tokio::test]
async fn a_nonce_of_somebody_else_means_nothing() {
    let world = World::new().await;
    let (ann, bob) = (world.ann().await, world.person("bob", &["zap"], &[]).await);
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    let hers = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    let form = Choices { form_time: bob.form_time(0), ..form };
    let his = world.grants.grant(&bob, &request, &form, |_| ()).await.unwrap();
    assert_ne!(hers.id, his.id);
    assert!(Delivered::read(&his.location).client_id.starts_with("local/bob/"));
    success(world.verify(&hers.location, "x").await);
}

/// The person's page said "never used" for a minute after a use.
#[tokio::test]
async fn a_use_is_seen_at_once() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    let last_use = async || world.grants.grants_of(&ann).await.unwrap()[0].record.last_used_ms;
    assert_eq!(last_use().await, None);
    success(world.verify(&granted.location, "x").await);
    assert_eq!(last_use().await, Some(START_MS));
}
