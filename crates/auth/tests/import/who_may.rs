//! What importing takes, and what is told to whom.

use super::*;

#[tokio::test]
async fn each_record_needs_what_changing_it_alone_would_need() {
    let world = World::bare().await;
    world.role("r", &["assume:base"]).await;
    world.role("base", &["b:1"]).await;
    world.client("c", &["c:1"]).await;
    let root = world.as_root().await;
    world.client("off", &[]).await;
    world.auth.disable_client(&root, "off").await.unwrap();
    // Nobody is owed a token any more.
    world.clock.advance(15 * MINUTE_MS);
    let root = world.as_root().await;
    let off = |disabled| BatchClient { disabled: Some(disabled), ..client(&world, "off", &[]) };
    let cases: Vec<(&str, Batch, &[&str])> = vec![
        ("make a role", roles(&[role("new", &["n:1"])]), &["auth:create-role:new", "n:1"]),
        // What it comes to already needs nothing.
        ("change a role", roles(&[role("r", &["b:1", "n:1"])]), &["auth:update-role:r", "n:1"]),
        ("make a client", clients(&[client(&world, "new", &["n:1"])]), &["auth:create-client:new", "n:1"]),
        (
            "make it off",
            clients(&[BatchClient { disabled: Some(true), ..client(&world, "new", &[]) }]),
            &["auth:create-client:new", "auth:disable-client:new"],
        ),
        (
            "make it with a token",
            clients(&[with_token(client(&world, "new", &[]), TOKEN)]),
            &["auth:create-client:new", "auth:set-access-token:new"],
        ),
        ("change a client", clients(&[client(&world, "c", &["c:1", "n:1"])]), &["auth:update-client:c", "n:1"]),
        (
            "set its token",
            clients(&[with_token(client(&world, "c", &["c:1"]), TOKEN)]),
            &["auth:update-client:c", "auth:set-access-token:c"],
        ),
        (
            "switch it off",
            clients(&[BatchClient { disabled: Some(true), ..client(&world, "c", &["c:1"]) }]),
            &["auth:update-client:c", "auth:disable-client:c"],
        ),
        ("switch it on", clients(&[off(false)]), &["auth:update-client:off", "auth:enable-client:off"]),
        (
            "several",
            Batch { roles: vec![role("new", &["n:1"])], clients: vec![client(&world, "c", &["c:1", "n:2"])] },
            &["auth:create-role:new", "n:1", "auth:update-client:c", "n:2"],
        ),
    ];
    for (index, (what, batch, needed)) in cases.iter().enumerate() {
        for missing in 0..needed.len() {
            let before = world.auth.revision();
            let other_scopes: Vec<&str> = needed.iter().enumerate().filter(|(i, _)| *i != missing).map(|(_, scope)| *scope).collect();
            let keys = world.client(&format!("caller/{index}/{missing}"), &other_scopes).await;
            let who = world.call(&keys).await;
            let outcome = world.auth.import(&who, batch).await;
            let fault = outcome.err().unwrap_or_else(|| panic!("{what} without {}", needed[missing]));
            assert!(fault.record.is_some(), "{what}");
            let ApiError::InsufficientScopes { missing: told, .. } = fault.error else { panic!("{what}: {fault:?}") };
            if needed[missing].starts_with("auth:update-") {
                // Whoever may not change the record is told of all of the request, and so not of what the record has.
                assert!(
                    told.to_string().contains(&format!("{:?}", needed[missing])) || told.to_string() == needed[missing],
                    "{what}: {told}"
                );
            } else {
                assert_eq!(told, falconer_scopes::Expression::Scope(needed[missing].to_owned()), "{what}");
            }
            assert_eq!(world.auth.revision(), Revision(before.0 + 1), "only the caller was made");
        }
    }
    for (index, (what, batch, needed)) in cases.into_iter().enumerate() {
        let keys = world.client(&format!("caller/{index}/all"), needed).await;
        let who = world.call(&keys).await;
        world.auth.import(&who, &batch).await.unwrap_or_else(|fault| panic!("{what}: {fault:?}"));
        // What was made is taken away again, and what was changed is put back.
        world.auth.delete_client(&root, "new").await.unwrap();
        world.auth.delete_role(&root, "new").await.unwrap();
        world.role("r", &["assume:base"]).await;
        let back = [client_as(&world, "c", &["c:1"], false), client_as(&world, "off", &[], true)];
        import(&world, &root, &[], &back).await.unwrap();
    }
}

fn client_as(world: &World, id: &str, scopes: &[&str], disabled: bool) -> BatchClient {
    BatchClient { disabled: Some(disabled), ..client(world, id, scopes) }
}

fn roles(roles: &[BatchRole]) -> Batch {
    Batch { roles: roles.to_vec(), clients: Vec::new() }
}

fn clients(clients: &[BatchClient]) -> Batch {
    Batch { roles: Vec::new(), clients: clients.to_vec() }
}

#[tokio::test]
async fn what_is_there_is_told_to_those_only_who_could_make_or_change_it() {
    let world = World::bare().await;
    world.role("r", &["a"]).await;
    world.client("c", &["a"]).await;
    let root = world.as_root().await;
    let batch = clients(&[with_token(client(&world, "c", &["a"]), TOKEN)]);
    world.auth.import(&root, &batch).await.unwrap();
    let record = BatchRole { role_id: "r".into(), input: RoleInput { scopes: strings(&["a"]), description: String::new() } };
    for (number, (scopes, fine)) in [
        (&["auth:create-role:r", "a", "auth:create-client:c", "auth:set-access-token:c"][..], true),
        (&["auth:update-role:r", "auth:update-client:c", "auth:set-access-token:c"], true),
        // Whether a token is somebody's is told to nobody who could not set it.
        (&["auth:update-role:r", "auth:update-client:c"], false),
        (&["auth:create-role:r", "auth:update-client:c", "auth:set-access-token:c"], false),
        (&["auth:update-role:r", "auth:create-client:c", "auth:set-access-token:c"], false),
        (&[], false),
    ]
    .into_iter()
    .enumerate()
    {
        let keys = world.client(&format!("caller/{number}"), scopes).await;
        let who = world.call(&keys).await;
        let batch = Batch { roles: vec![record.clone()], ..batch.clone() };
        assert_eq!(world.auth.import(&who, &batch).await.is_ok(), fine, "{scopes:?}");
    }
}

#[tokio::test]
async fn a_token_given_with_a_grant_marks_the_client() {
    let world = World::bare().await;
    let may = ["auth:create-client:p/*", "auth:update-client:p/*", "auth:set-access-token:p/*", "p:*"];
    world.person("sso/ann", &may).await;
    let scopes = world.auth.person_scopes("sso/ann").unwrap().to_vec();
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let issued = world.auth.add_grant(common::new_grant("sso/ann", &scopes, world.now())).await.unwrap();
    let issued_credentials = issued.credentials;
    let keys = Keys {
        id: issued_credentials.client_id,
        token: issued_credentials.access_token,
        certificate: Some(issued_credentials.certificate),
    };
    world.client("p/there", &["p:1"]).await;
    world.client("p/told", &["p:1"]).await;
    let who = world.call(&keys).await;
    let other_token = "another-token-that-is-long-enough";
    let batch = [
        with_token(client(&world, "p/new", &["p:1"]), TOKEN),
        with_token(client(&world, "p/there", &["p:1"]), other_token),
        client(&world, "p/told", &["p:2"]),
    ];
    import(&world, &who, &[], &batch).await.unwrap();
    let mark = |id: &str| world.auth.directory().client(id).unwrap().record().grant.clone();
    let grant = Some(issued.grant.id.clone());
    assert_eq!((mark("p/new"), mark("p/there"), mark("p/told")), (grant.clone(), grant.clone(), grant.clone()));
    assert_eq!(actions(&world, "client", "p/there").await, ["created", "access token set"]);

    // The same token from somebody else frees nobody: the person with the grant knows it.
    let root = world.as_root().await;
    import(&world, &root, &[], &batch[..2]).await.unwrap();
    assert_eq!((mark("p/new"), mark("p/there")), (grant.clone(), grant.clone()));
    // Another token does, from somebody who could have given the scopes; and from nobody else.
    let weak = world.client("weak", &["auth:update-client:p/*", "auth:set-access-token:p/*"]).await;
    let weak = world.call(&weak).await;
    import(&world, &weak, &[], &[with_token(batch[0].clone(), "a-third-token-that-is-long-enough")]).await.unwrap();
    assert_eq!(mark("p/new"), grant);
    import(&world, &root, &[], &[with_token(batch[1].clone(), "a-fourth-token-that-is-long-enough")]).await.unwrap();
    assert_eq!(mark("p/there"), None);

    world.auth.revoke_grants(&["sso/ann"], "test", std::slice::from_ref(&issued.grant.id), "test").await.unwrap();
    let revoked = world.verify(&Keys::new("p/new", "a-third-token-that-is-long-enough")).await;
    assert!(message_of(&revoked).contains("has been revoked"));
    assert_eq!(
        scopes_of(&world.verify(&Keys::new("p/there", "a-fourth-token-that-is-long-enough")).await),
        strings(&["assume:anonymous", "p:1"])
    );
}
