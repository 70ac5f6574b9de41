//! Which sites are granted something: registered ones, Falconer itself, and who learns who somebody is.

use super::*;

#[tokio::test]
async fn a_site_learns_who_it_is_only_when_that_is_ticked_and_only_there() {
    let world = World::new().await;
    let ann = world.ann().await;
    let request = asks("&scope=secrets:get&identity=true&audience=https://api.example.com");
    let offer = world.grants.offer(&ann, &request).await.unwrap();
    assert_eq!(offer.identity_line.unwrap().origins, ["https://notes.example.com", "https://api.example.com"]);
    let form = world.form(&ann, &request).await;
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
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
    let granted = world.grants.grant(&ann, &request, &form, |_| ()).await.unwrap();
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
        assert!(matches!(world.grants.grant(&ann, &asks_for(target, ""), &form, |_| ()).await, Err(GrantError::OwnAddress(_))), "{target}");
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
                assert!(world.grants.grant(&ann, &request, &form, |_| ()).await.is_ok());
            }
            Err(error) => {
                assert!(!known, "{target}: {error}");
                assert!(matches!(error, GrantError::NotRegistered(_)));
                let form = world.form(&ann, &asks_for("https://notes.example.com/login", "")).await;
                let refused = world.grants.grant(&ann, &request, &form, |_| ()).await;
                assert!(matches!(refused, Err(GrantError::NotRegistered(_))));
            }
        }
    }
    assert_eq!(world.grants.grants_of(&ann).await.unwrap()[0].record.label, "Notes");
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
