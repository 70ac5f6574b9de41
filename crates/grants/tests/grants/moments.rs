//! Pages that have just appeared, that are pressed twice, or that are out of date.

use super::*;

#[tokio::test]
async fn pressing_twice_gives_the_same_answer() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=notes:read:zap/*&scope=notes:write:zap/releases");
    let form = world.form(&ann, &request).await;
    let first = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
    world.clock.advance(HOUR_MS);
    // The second press may come from a page that still asked for the host, or did not.
    let mut repeated = form.clone();
    repeated.typed_host = None;
    repeated.ticked.reverse();
    let second = world.grants.grant(&ann, &request, &repeated, |_| ()).await.unwrap();
    assert_eq!(second.location, first.location);
    assert_eq!(world.grants.grants_of(&ann).await.unwrap().len(), 1);

    // Other choices on the same form: another grant, and the first is over.
    let mut other = repeated.clone();
    other.ticked.pop();
    let third = world.grants.grant(&ann, &request, &other, |_| ()).await.unwrap();
    assert_ne!(third.id, first.id);
    let states: Vec<_> = world.grants.grants_of(&ann).await.unwrap().iter().map(|g| (g.record.id.clone(), g.state)).collect();
    assert_eq!(states, [(third.id.clone(), GrantState::Active), (first.id.clone(), GrantState::Revoked)]);
    assert_eq!(failure(world.verify(&first.location, "x").await), format!("The grant {} has been revoked", first.id));

    // After a revocation the form is worth nothing, whatever it says.
    world.grants.revoke(&ann, &third.id).await.unwrap();
    for choices in [&other, &form] {
        assert_eq!(world.grants.grant(&ann, &request, choices, |_| ()).await.err(), Some(GrantError::Revoked));
    }
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
        presses.spawn(async move { world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap().location });
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
    let two = world.grants.grant(&ann, &two, &second, |_| ()).await.unwrap();
    let granted = world.grants.grant(&ann, &one, &first, |_| ()).await.unwrap();
    assert!(granted.location.starts_with("https://one.example/?") && two.location.starts_with("https://two.example/?"));
    // One form's nonce with the other's request is no repeat.
    let mixed = asks_for("https://one.example/elsewhere", "&scope=notes:read:zap/*");
    let moved = world.grants.grant(&ann, &mixed, &first, |_| ()).await.unwrap();
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
        let Err(GrantError::Review { offer, .. }) = world.grants.grant(&ann, &request, &form, |_| ()).await else {
            panic!("granted what was not shown");
        };
        assert!(world.grants.grants_of(&ann).await.unwrap().iter().all(|g| g.record.nonce != form.nonce));
        let repeated = filled(&ann, &offer, form.nonce.clone(), &request);
        assert!(world.grants.grant(&ann, &request, &repeated, |_| ()).await.is_ok());
    }
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
        let refused = world.grants.grant(&ann, &request, &form, |_| ()).await;
        let Err(GrantError::TooSoon(offer)) = refused else { panic!("granted") };
        // The choices are kept.
        assert_eq!(offer.lines.iter().map(|line| line.ticked).collect::<Vec<_>>(), [true, false]);
    }
    assert!(world.grants.grants_of(&ann).await.unwrap().is_empty());
    form.form_time = ann.form_time(now_ms - 1_000);
    assert!(world.grants.grant(&ann, &request, &form, |_| ()).await.is_ok());
}

/// A page that waited behind another window was old enough, so that the first press on it granted what nobody had seen.
#[tokio::test]
async fn what_is_new_for_a_known_site_is_seen_before_it_is_granted() {
    let world = World::new().await;
    let ann = world.ann().await;
    let first = asks("&scope=notes:read:zap/*");
    let form = world.form(&ann, &first).await;
    let form = Choices { visible_ms: None, ..form };
    assert!(world.grants.grant(&ann, &first, &form, |_| ()).await.is_ok(), "its name was typed");
    let repeated = Choices { visible_ms: None, ..world.form(&ann, &first).await };
    assert!(repeated.typed_host.is_none() && world.grants.grant(&ann, &first, &repeated, |_| ()).await.is_ok(), "the same as before");
    let more = asks("&scope=notes:read:zap/*&scope=notes:write:zap/releases&identity=true");
    let mut form = Choices { visible_ms: Some(999), ..world.form(&ann, &more).await };
    assert!(matches!(world.grants.grant(&ann, &more, &form, |_| ()).await, Err(GrantError::TooSoon(_))));
    form.visible_ms = None;
    let Err(GrantError::News(news)) = world.grants.grant(&ann, &more, &form, |_| ()).await else { panic!("granted unseen") };
    let scopes: Vec<&str> = news.gives.iter().flat_map(|group| &group.scopes).map(|scope| scope.scope.as_str()).collect();
    assert_eq!((scopes, news.identity_for.len()), (vec!["notes:write:zap/releases"], 1));
    form.news = "another".to_owned();
    assert!(matches!(world.grants.grant(&ann, &more, &form, |_| ()).await, Err(GrantError::News(_))));
    form.news = news.shown;
    assert!(world.grants.grant(&ann, &more, &form, |_| ()).await.is_ok());
}
