//! Granting from the offer to the credentials at work, and taking back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

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
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
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
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
    let held = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(
        held.to_vec(),
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
    let granted = world.grants.grant(&ann, &request, &all).await.unwrap();
    let held = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(held, world.auth.person_scopes("local/ann").unwrap());
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
        let refused = world.grants.grant(&ann, &request, &form).await;
        assert!(matches!(refused, Err(GrantError::HostNotTyped(_))), "{wrong:?}");
    }
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
    assert!(world.grants.remembered_origins(&ann).await.unwrap().is_empty());

    form.typed_host = Some(" Notes.example.com ".to_owned());
    assert!(world.grants.grant(&ann, &request, &form).await.is_ok());
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
async fn pressing_twice_gives_the_same_answer() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*&scope=notes:write:zap/releases");
    let form = world.form(&ann, &request).await;
    let first = world.grants.grant(&ann, &request, &form).await.unwrap();
    world.clock.advance(HOUR_MS);
    // The second press may come from a page that still asked for the host, or did not.
    let mut again = form.clone();
    again.typed_host = None;
    again.ticked.reverse();
    let second = world.grants.grant(&ann, &request, &again).await.unwrap();
    assert_eq!(second.location, first.location);
    assert_eq!(world.grants.grants_of(&ann).await.unwrap().len(), 1);

    // Other choices on the same form: another grant, and the first is over.
    let mut other = again.clone();
    other.ticked.pop();
    let third = world.grants.grant(&ann, &request, &other).await.unwrap();
    assert_ne!(third.id, first.id);
    let states: Vec<_> = world.grants.grants_of(&ann).await.unwrap().iter().map(|g| (g.record.id.clone(), g.state)).collect();
    assert_eq!(states, [(third.id.clone(), GrantState::Active), (first.id.clone(), GrantState::Revoked)]);
    assert_eq!(failure(world.verify(&first.location, "x").await), format!("The grant {} has been revoked", first.id));

    // After a revocation the form is worth nothing, whatever it says.
    world.grants.revoke(&ann, &third.id).await.unwrap();
    for choices in [&other, &form] {
        assert_eq!(world.grants.grant(&ann, &request, choices).await.err(), Some(GrantError::Revoked));
    }
}

#[tokio::test]
async fn a_form_whose_grant_has_ended_makes_no_other() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    world.grants.grant(&ann, &request, &form).await.unwrap();
    world.clock.advance(DAY_MS);
    assert_eq!(world.grants.grant(&ann, &request, &form).await.err(), Some(GrantError::Ended));
}

#[tokio::test]
async fn two_presses_at_once_make_one_grant() {
    let world = std::sync::Arc::new(World::new().await);
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (world, ann, request, form) = (world.clone(), ann.clone(), request.clone(), form.clone());
        presses.spawn(async move { world.grants.grant(&ann, &request, &form).await.unwrap().location });
    }
    let mut locations = presses.join_all().await;
    locations.dedup();
    assert_eq!(locations.len(), 1);
    assert_eq!(world.grants.grants_of(&ann).await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_tabs_never_mix() {
    let world = World::new().await;
    let ann = world.ann().await;
    let (one, two) =
        (asks_for("https://one.example/", "&scope=notes:read:zap/*"), asks_for("https://two.example/", "&scope=notes:read:zap/*"));
    let (first, second) = (world.form(&ann, &one).await, world.form(&ann, &two).await);
    let two = world.grants.grant(&ann, &two, &second).await.unwrap();
    let granted = world.grants.grant(&ann, &one, &first).await.unwrap();
    assert!(granted.location.starts_with("https://one.example/?") && two.location.starts_with("https://two.example/?"));
    // One form's nonce with the other's request is no repeat.
    let mixed = asks_for("https://one.example/elsewhere", "&scope=notes:read:zap/*");
    let moved = world.grants.grant(&ann, &mixed, &first).await.unwrap();
    assert_ne!(moved.id, granted.id);
}

#[tokio::test]
async fn what_changed_since_the_page_was_shown_is_shown_again() {
    let world = World::new().await;
    let ann = world.ann().await;
    for more in ["&scope=assume:local-group:zap", ""] {
        let request = asks(more);
        let form = world.form(&ann, &request).await;
        world.role("local-group:zap", &["notes:read:zap/*", &format!("secrets:get{more}")]).await;
        let Err(GrantError::Review { offer, .. }) = world.grants.grant(&ann, &request, &form).await else {
            panic!("granted what was not shown");
        };
        assert!(world.grants.grants_of(&ann).await.unwrap().iter().all(|g| g.record.nonce != form.nonce));
        let again = filled(&ann, &offer, form.nonce.clone(), &request);
        assert!(world.grants.grant(&ann, &request, &again).await.is_ok());
    }
}

#[tokio::test]
async fn what_is_taken_away_is_shown_before_it_is_granted() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=assume:local-group:zap&scope=notes:write:zap/releases");
    let mut form = world.form(&ann, &request).await;
    form.ticked.remove(1);
    let Err(GrantError::Review { offer, .. }) = world.grants.grant(&ann, &request, &form).await else {
        panic!("granted without showing");
    };
    assert_eq!(offer.lines[0].taken_away, ["assume:local-group:zap", "notes:write:zap/releases"]);
    assert!(offer.lines[0].ticked && !offer.lines[1].ticked);
    let again = filled(&ann, &offer, form.nonce.clone(), &request);
    assert_eq!(again.ticked, form.ticked);
    let granted = world.grants.grant(&ann, &request, &again).await.unwrap();
    let held = success(world.verify(&granted.location, "x").await).scopes;
    assert_eq!(held.to_vec(), ["auth:current-scopes", "notes:read:zap/*"]);
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
    for ms in [0, -1, 1, 31 * DAY_MS, i64::MAX] {
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
        let refused = world.grants.grant(&ann, &request, choices).await;
        assert!(matches!(refused, Err(GrantError::BadForm(_))), "{choices:?}");
    }
    let mut nothing = form.clone();
    nothing.ticked.clear();
    assert!(matches!(world.grants.grant(&ann, &request, &nothing).await, Err(GrantError::Nothing(_))));
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_site_learns_who_it_is_only_when_that_is_ticked_and_only_there() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=secrets:get&identity=true&audience=https://api.example.com");
    let offer = world.grants.offer(&ann, &request).await.unwrap();
    assert_eq!(offer.identity_line.unwrap().origins, ["https://notes.example.com", "https://api.example.com"]);
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
    for (host, tells) in [("notes.example.com", true), ("api.example.com", true), ("evil.example", false)] {
        let success = success(world.verify(&granted.location, host).await);
        assert_eq!(success.scopes.to_vec(), ["auth:current-scopes"]);
        assert_eq!(success.identity.is_some(), tells, "{host}");
        if let Some(identity) = success.identity {
            assert_eq!((identity.id.as_str(), identity.email_verified), ("local/ann", false));
        }
    }
    let request = asks("&scope=notes:read:zap/*&identity=true");
    let mut form = world.form(&ann, &request).await;
    form.identity = false;
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
    assert_eq!(success(world.verify(&granted.location, "notes.example.com").await).identity, None);
}

/// Story: a target at Falconer's own origin was offered, and the credentials went into the address bar of a page that nobody reads them from. An operator who has another
/// service at paths of the same origin registers it.
#[tokio::test]
async fn falconer_itself_is_no_target_unless_it_is_registered() {
    let registered = RegisteredTarget { name: "Reports".to_owned(), targets: vec!["https://auth.example.com/reports/".to_owned()] };
    let world = World::with(GrantSettings { registered_targets: vec![registered], ..GrantSettings::default() }).await;
    let ann = world.ann().await;
    for target in
        ["https://auth.example.com/", "https://auth.example.com:443/", "https://auth.example.com/login", "https://auth.example.com/reports"]
    {
        let refused = world.grants.offer(&ann, &asks_for(target, "")).await;
        assert!(matches!(refused, Err(GrantError::OwnAddress(_))), "{target}: {refused:?}");
        let form = world.form(&ann, &asks_for("https://notes.example.com/login", "")).await;
        assert!(matches!(world.grants.grant(&ann, &asks_for(target, ""), &form).await, Err(GrantError::OwnAddress(_))), "{target}");
    }
    for target in ["https://auth.example.com/reports/", "https://auth.example.com:8443/", "https://www.auth.example.com/"] {
        assert!(world.grants.offer(&ann, &asks_for(target, "")).await.is_ok(), "{target}");
    }
}

#[tokio::test]
async fn registered_targets_are_known_by_name() {
    let world = World::with(GrantSettings {
        registered_only: true,
        registered_targets: vec![RegisteredTarget {
            name: "Notes".to_owned(),
            targets: vec!["https://notes.example.com/login".to_owned(), "https://h.example/?a=1#/x".to_owned()],
        }],
        ..GrantSettings::default()
    })
    .await;
    let ann = world.ann().await;
    for (target, known) in [
        ("https://notes.example.com/login", true),
        ("https://notes.example.com/login%3Fstate=Ab-_9", true),
        ("https://h.example/%3Fa=1%26state=x%23/x", true),
        ("https://h.example/%3Fa=1%23/x", true),
        ("https://notes.example.com/login%3Fstate=x%26next=y", false),
        ("https://notes.example.com/login%3Fnext=y%26state=x", false),
        ("https://notes.example.com/login%3Fmystate=x", false),
        ("https://notes.example.com/login%3Fstate=x/y", false),
        ("https://notes.example.com/login%26state=x", false),
        ("https://notes.example.com/login/", false),
        ("https://notes.example.com/login%23x", false),
        ("https://notes.example.com:444/login", false),
        ("https://h.example/%3Fa=1%26state=x", false),
    ] {
        let request = asks_for(target, "&scope=auth:list-clients");
        match world.grants.offer(&ann, &request).await {
            Ok(offer) => {
                assert!(known, "{target}");
                assert_eq!(offer.registered_name.as_deref(), Some("Notes"));
                assert!(!offer.needs_host_typed);
                assert!(offer.lines[0].broad && offer.lines[0].ticked);
                let form = world.form(&ann, &request).await;
                assert!(world.grants.grant(&ann, &request, &form).await.is_ok());
            }
            Err(error) => {
                assert!(!known, "{target}: {error}");
                assert!(matches!(error, GrantError::NotRegistered(_)));
                let form = world.form(&ann, &asks_for("https://notes.example.com/login", "")).await;
                let refused = world.grants.grant(&ann, &request, &form).await;
                assert!(matches!(refused, Err(GrantError::NotRegistered(_))));
            }
        }
    }
    assert_eq!(world.grants.grants_of(&ann).await.unwrap()[0].record.label, "Notes");
}

#[tokio::test]
async fn grants_are_listed_and_revoked_by_their_owner_only() {
    let world = World::new().await;
    let (ann, bob) = (world.ann().await, world.person("bob", &["zap"], &[]).await);
    let request = asks("&scope=notes:read:zap/*&scope=assume:local-group:zap");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
    let mine = world.grants.grants_of(&ann).await.unwrap();
    let groups: Vec<_> = mine[0].gives.iter().map(|g| (g.name.as_str(), g.scopes.len())).collect();
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
    let hers = world.grants.grant(&ann, &request, &form).await.unwrap();
    let form = Choices { form_time: bob.form_time(0), ..form };
    let his = world.grants.grant(&bob, &request, &form).await.unwrap();
    assert_ne!(hers.id, his.id);
    assert!(Delivered::read(&his.location).client_id.starts_with("local/bob/"));
    success(world.verify(&hers.location, "x").await);
}

#[tokio::test]
async fn a_registered_target_that_is_none_is_refused_at_start() {
    let world = World::new().await;
    let target = RegisteredTarget { name: "Notes".to_owned(), targets: vec!["http://notes.example.com/".to_owned()] };
    let settings = GrantSettings { registered_targets: vec![target], ..GrantSettings::default() };
    let refused = Grants::open(world.auth.clone(), world.login.clone(), world.store.clone(), settings);
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("[[target]] Notes") && error.contains("not a loopback host"), "{error}");
}

/// The second click of a double click landed on a grant page that had just appeared over a remembered site, and granted: 4 times of 4.
#[tokio::test]
async fn a_page_that_has_just_appeared_grants_nothing() {
    let world = World::new().await;
    let (ann, bob) = (world.ann().await, world.person("bob", &["zap"], &[]).await);
    let request = asks("&scope=notes:read:zap/*&scope=notes:write:zap/releases");
    let mut form = world.form(&ann, &request).await;
    form.ticked.truncate(1);
    let now_ms = world.auth.now_ms();
    for form_time in
        [world.login.form_time(&ann), ann.form_time(now_ms - 999), ann.form_time(now_ms + 1), bob.form_time(0), "0.x".to_owned()]
    {
        form.form_time = form_time;
        let refused = world.grants.grant(&ann, &request, &form).await;
        let Err(GrantError::TooSoon(offer)) = refused else { panic!("granted") };
        // The choices are kept.
        assert_eq!(offer.lines.iter().map(|line| line.ticked).collect::<Vec<_>>(), [true, false]);
    }
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
    form.form_time = ann.form_time(now_ms - 1_000);
    assert!(world.grants.grant(&ann, &request, &form).await.is_ok());
}

/// A page that waited behind another window was old enough, so that the first press on it granted what nobody had seen.
#[tokio::test]
async fn what_is_new_for_a_known_site_is_seen_before_it_is_granted() {
    let world = World::new().await;
    let ann = world.ann().await;
    let first = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &first).await;
    let form = Choices { visible_ms: None, ..form };
    assert!(world.grants.grant(&ann, &first, &form).await.is_ok(), "its name was typed");
    let again = Choices { visible_ms: None, ..world.form(&ann, &first).await };
    assert!(again.typed_host.is_none() && world.grants.grant(&ann, &first, &again).await.is_ok(), "the same as before");
    let more = asks("&scope=notes:read:zap/*&scope=notes:write:zap/releases&identity=true");
    let mut form = Choices { visible_ms: Some(999), ..world.form(&ann, &more).await };
    assert!(matches!(world.grants.grant(&ann, &more, &form).await, Err(GrantError::TooSoon(_))));
    form.visible_ms = None;
    let Err(GrantError::News(news)) = world.grants.grant(&ann, &more, &form).await else { panic!("granted unseen") };
    let scopes: Vec<&str> = news.gives.iter().flat_map(|group| &group.scopes).map(|scope| scope.scope.as_str()).collect();
    assert_eq!((scopes, news.identity_for.len()), (vec!["notes:write:zap/releases"], 1));
    form.news = "another".to_owned();
    assert!(matches!(world.grants.grant(&ann, &more, &form).await, Err(GrantError::News(_))));
    form.news = news.shown;
    assert!(world.grants.grant(&ann, &more, &form).await.is_ok());
}

/// The person's page said "never used" for a minute after a use.
#[tokio::test]
async fn a_use_is_seen_at_once() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form).await.unwrap();
    let last_use = async || world.grants.grants_of(&ann).await.unwrap()[0].record.last_used_ms;
    assert_eq!(last_use().await, None);
    success(world.verify(&granted.location, "x").await);
    assert_eq!(last_use().await, Some(START_MS));
}
