//! The client methods by kind of caller, in the protocol's order of checks.

use crate::common::{Keys, World, message_of, scopes_of, sent_text, strings};
use falconer_auth::{ApiError, Authentication, ClientInput, MINUTE_MS, PageQuery, Start};

const ALL: PageQuery = PageQuery::from_offset(0, 1000);

fn text<T>(result: Result<T, ApiError>) -> String {
    sent_text(&result.err().expect("it was done"))
}

const STATIC: &str = "clientId \"static/x\" starts with \"static/\" which is reserved for statically configured clients. \
                      Contact your administrator to change static clients.";

#[tokio::test]
async fn create_shows_the_token_once_and_everything_else_as_given() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let (created, revision) =
        world.auth.create_client(&root, "proj/one", &world.input(&["z", "a:b", "a:*", "assume:anonymous"])).await.unwrap();
    assert_eq!(created.access_token.as_ref().unwrap().expose().len(), 44);
    assert_eq!(created.scopes, strings(&["a:*", "a:b", "assume:anonymous", "z"]), "sorted, not normalized");
    assert_eq!(created.expanded_scopes.to_vec(), strings(&["a:*", "assume:anonymous", "z"]));
    assert_eq!(
        (created.created_ms, created.last_modified_ms, created.last_date_used_ms, created.last_rotated_ms),
        (world.now(), world.now(), world.now(), world.now())
    );
    assert!(!created.disabled && !created.delete_on_expiration && created.grant.is_none());
    assert_eq!(world.auth.revision(), revision, "a node reads its own writes");
    let read = world.auth.client(&root, "proj/one").unwrap();
    assert!(read.access_token.is_none());
    assert_eq!(read.scopes, created.scopes);
    let stored = world.store.client("proj/one").await.unwrap().unwrap();
    assert_eq!(stored.scopes, strings(&["z", "a:b", "a:*", "assume:anonymous"]), "stored as given");
}

#[tokio::test]
async fn create_checks_in_order() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    let weak = world.client("weak", &["auth:create-client:proj/*", "apple:*"]).await;
    let weak = world.call(&weak).await;
    let create = async |who: &Authentication, id: &str, scopes: &[&str]| {
        text(world.auth.create_client(who, id, &world.input(scopes)).await.map(|_| ()))
    };
    assert_eq!(create(&nobody, "static/x", &["a**"]).await, STATIC);
    assert_eq!(create(&nobody, "proj/x", &["a**"]).await, "scopes must not end with `**`");
    assert_eq!(create(&nobody, "proj/x", &["assume:grant:x"]).await, "`assume:grant:` is reserved");
    assert_eq!(
        create(&nobody, "proj/x", &[]).await,
        "This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\n\
         {\n  \"AllOf\": [\n    \"auth:create-client:proj/x\"\n  ]\n}\n```"
    );
    assert_eq!(
        create(&weak, "proj/x", &["apple:tree", "pear:tree"]).await,
        "Client ID weak does not have sufficient scopes and is missing the following scopes:\n\n```\npear:tree\n```\n\n\
         This request requires the client to satisfy the following scope expression:\n\n```\n\
         {\n  \"AllOf\": [\n    \"auth:create-client:proj/x\",\n    \"apple:tree\",\n    \"pear:tree\"\n  ]\n}\n```"
    );
    world.auth.create_client(&weak, "proj/x", &world.input(&["apple:tree"])).await.unwrap();
    assert_eq!(create(&root, "proj/x", &["other"]).await, "Client already exists");
    let wrong = world.call(&Keys::new("weak", "wrong-token")).await;
    assert_eq!(create(&wrong, "proj/x", &["a**"]).await, "scopes must not end with `**`", "before authentication");
    assert_eq!(create(&wrong, "proj/x", &[]).await, "Unauthorized: Bad mac");
}

#[tokio::test]
async fn a_repeat_within_15_minutes_gives_the_original_token() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let input = world.input(&["b", "a"]);
    let token = |view: falconer_auth::ClientView| view.access_token.unwrap().expose().to_owned();
    let first = token(world.auth.create_client(&root, "x", &input).await.unwrap().0);
    world.clock.advance(15 * MINUTE_MS - 1);
    let repeated = ClientInput { delete_on_expiration: true, ..input.clone() };
    let (view, _) = world.auth.create_client(&root, "x", &repeated).await.unwrap();
    assert_eq!(view.created_ms, crate::common::START_MS, "nothing has changed");
    assert_eq!(token(view), first);
    let history = world.auth.entity_history(&root, "client", "x", ALL).await.unwrap();
    assert_eq!(history.items.iter().map(|row| row.action_type.as_str()).collect::<Vec<_>>(), ["created", "created"]);
    for other in [
        ClientInput { scopes: Some(strings(&["a", "b"])), ..input.clone() },
        ClientInput { expires_us: input.expires_us + 1, ..input.clone() },
        ClientInput { description: "another".to_owned(), ..input.clone() },
    ] {
        assert_eq!(text(world.auth.create_client(&root, "x", &other).await), "Client already exists");
    }
    world.clock.advance(1);
    assert_eq!(text(world.auth.create_client(&root, "x", &input).await), "Client already exists", "too late");
}

#[tokio::test]
async fn a_disabled_client_is_not_repeated() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let input = world.input(&["a"]);
    world.auth.create_client(&root, "x", &input).await.unwrap();
    world.auth.disable_client(&root, "x").await.unwrap();
    assert_eq!(text(world.auth.create_client(&root, "x", &input).await), "Client already exists");
}

#[tokio::test]
async fn update_says_404_before_it_asks_who() {
    let world = World::bare().await;
    let nobody = world.auth.nobody();
    let update = async |who: &Authentication, id: &str, scopes: &[&str]| {
        text(world.auth.update_client(who, id, &world.input(scopes)).await.map(|_| ()))
    };
    assert_eq!(update(&nobody, "static/x", &["a**"]).await, STATIC);
    assert_eq!(update(&nobody, "nope", &["a**"]).await, "scopes must not end with `**`");
    assert_eq!(update(&nobody, "nope", &[]).await, "Client not found");
    world.client("x", &["a:*"]).await;
    assert!(update(&nobody, "x", &[]).await.starts_with("This request requires Taskcluster credentials"));
}

#[tokio::test]
async fn update_needs_each_scope_that_is_not_literally_there() {
    let world = World::bare().await;
    world.client("x", &["a:*", "secret"]).await;
    let weak = world.client("weak", &["auth:update-client:x"]).await;
    let weak = world.call(&weak).await;
    let refused = text(world.auth.update_client(&weak, "x", &world.input(&["a:*", "a:b", "secret"])).await);
    assert!(refused.contains("missing the following scopes:\n\n```\na:b\n```"), "{refused}");
    world.clock.advance(1000);
    let (view, _) = world.auth.update_client(&weak, "x", &world.input(&["secret"])).await.unwrap();
    assert_eq!(view.scopes, strings(&["secret"]), "to drop one needs nothing");
    assert!(view.access_token.is_none());
    assert_eq!((view.created_ms, view.last_modified_ms), (crate::common::START_MS, world.now()));
    let keep = ClientInput { scopes: None, description: "kept".to_owned(), delete_on_expiration: true, ..world.input(&[]) };
    let (view, _) = world.auth.update_client(&weak, "x", &keep).await.unwrap();
    assert_eq!((view.scopes, view.description.as_str(), view.delete_on_expiration), (strings(&["secret"]), "kept", true));
}

#[tokio::test]
async fn reset_enable_disable_and_delete_take_effect_at_once() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let keys = world.client("x", &["a"]).await;
    assert_eq!(scopes_of(&world.verify(&keys).await), strings(&["a", "assume:anonymous"]));
    let (disabled, _) = world.auth.disable_client(&root, "x").await.unwrap();
    assert!(disabled.disabled);
    assert_eq!(message_of(&world.verify(&keys).await), "Client with clientId 'x' is disabled");
    world.auth.disable_client(&root, "x").await.unwrap();
    world.auth.enable_client(&root, "x").await.unwrap();
    assert_eq!(scopes_of(&world.verify(&keys).await), strings(&["a", "assume:anonymous"]));
    world.clock.advance(5);
    let (view, _) = world.auth.reset_access_token(&root, "x").await.unwrap();
    assert_eq!(view.last_rotated_ms, world.now());
    let fresh = Keys::new("x", view.access_token.unwrap().expose());
    assert_eq!(message_of(&world.verify(&keys).await), "Unauthorized: Bad mac");
    assert_eq!(scopes_of(&world.verify(&fresh).await), strings(&["a", "assume:anonymous"]));
    world.auth.delete_client(&root, "x").await.unwrap();
    assert_eq!(message_of(&world.verify(&fresh).await), "Unauthorized: Bad mac", "an unknown client learns nothing");
    world.auth.delete_client(&root, "x").await.unwrap();
    let actions: Vec<_> =
        world.auth.entity_history(&root, "client", "x", ALL).await.unwrap().items.into_iter().map(|row| row.action_type).collect();
    assert_eq!(actions, ["created", "client disabled", "client disabled", "client enabled", "access token reset", "deleted", "deleted"]);
}

#[tokio::test]
async fn the_others_ask_who_first_then_static_then_404() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    for id in ["static/x", "nope"] {
        assert!(text(world.auth.reset_access_token(&nobody, id).await).contains(&format!("auth:reset-access-token:{id}\n")));
        assert!(text(world.auth.enable_client(&nobody, id).await).contains(&format!("auth:enable-client:{id}\n")));
        assert!(text(world.auth.disable_client(&nobody, id).await).contains(&format!("auth:disable-client:{id}\n")));
        assert!(text(world.auth.delete_client(&nobody, id).await).contains(&format!("auth:delete-client:{id}\n")));
        assert!(text(world.auth.client(&nobody, id)).contains(&format!("auth:get-client:{id}\n")));
    }
    assert_eq!(text(world.auth.reset_access_token(&root, "static/x").await), STATIC);
    assert_eq!(text(world.auth.delete_client(&root, "static/x").await), STATIC);
    assert_eq!(text(world.auth.reset_access_token(&root, "nope").await), "Client not found");
    assert_eq!(text(world.auth.enable_client(&root, "nope").await), "Client not found");
    assert_eq!(text(world.auth.disable_client(&root, "nope").await), "Client not found");
    assert_eq!(text(world.auth.client(&root, "nope")), "Client not found");
    world.auth.delete_client(&root, "nope").await.unwrap();
}

#[tokio::test]
async fn lists_come_in_pages_by_prefix() {
    let world = World::bare().await;
    let root = world.as_root().await;
    for id in ["b/1", "b/2", "b/3", "c", "a"] {
        world.client(id, &[]).await;
    }
    let page = |prefix: &str, offset, limit| {
        let page = world.auth.list_clients(&root, prefix, PageQuery::from_offset(offset, limit)).unwrap();
        (page.items.into_iter().map(|client| client.client_id).collect::<Vec<_>>().join(" "), page.next)
    };
    assert_eq!(page("", 0, 1000), ("a b/1 b/2 b/3 c static/falconer/root".to_owned(), None));
    assert_eq!(page("b/", 0, 2), ("b/1 b/2".to_owned(), Some(Start::After("b/2".to_owned()))));
    assert_eq!(page("b/", 2, 2), ("b/3".to_owned(), None));
    assert_eq!(page("b/", 0, 3), ("b/1 b/2 b/3".to_owned(), None));
    assert_eq!(page("b/", 9, 2), (String::new(), None));
    assert_eq!(page("zz", 0, 2), (String::new(), None));
    let nobody = world.auth.nobody();
    assert!(text(world.auth.list_clients(&nobody, "", ALL)).contains("auth:list-clients"));
}

#[tokio::test]
async fn temporary_names_are_the_actors_of_the_audit() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let seed = "0123456789012345678901234567890123456789abcd";
    let now = world.now();
    let issued = falconer_credentials::temporary::create(
        &world.root.id,
        &world.root.token,
        Some("night-shift"),
        &strings(&["auth:create-role:r"]),
        now,
        now + 1000,
        seed,
    )
    .unwrap();
    let keys = Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) };
    let who = world.call(&keys).await;
    let role = falconer_auth::RoleInput { scopes: Vec::new(), description: String::new() };
    world.auth.create_role(&who, "r", &role).await.unwrap();
    let rows = world.auth.audit_history(&root, "night-shift", ALL).await.unwrap().items;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].action_type.as_str(), rows[0].entity_type.as_str(), rows[0].entity_id.as_str()), ("created", "role", "r"));
    assert!(world.auth.audit_history(&root, "nobody-at-all", ALL).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn history_comes_in_pages() {
    let world = World::bare().await;
    let root = world.as_root().await;
    world.client("x", &[]).await;
    for _ in 0..4 {
        world.auth.enable_client(&root, "x").await.unwrap();
    }
    let page = async |start: Start, limit| {
        let page = world.auth.entity_history(&root, "client", "x", PageQuery { start, limit }).await.unwrap();
        (page.items.len(), page.next)
    };
    let (found, next) = page(Start::Offset(0), 2).await;
    let (found_next, last) = page(next.unwrap(), 2).await;
    assert_eq!((found, found_next), (2, 2));
    assert_eq!(page(last.clone().unwrap(), 2).await, (1, None));
    assert_eq!(page(Start::Offset(2), 2).await, (2, last), "an offset leads to the same rows");
    assert_eq!(page(Start::Offset(4), 2).await, (1, None));
    assert_eq!(page(Start::Offset(0), 5).await, (5, None));
}

#[tokio::test]
async fn clients_that_wish_to_go_are_deleted_after_their_end() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let short = ClientInput { expires_us: (world.now() + 1000) * 1000, delete_on_expiration: true, ..world.input(&[]) };
    world.auth.create_client(&root, "goes", &short).await.unwrap();
    world.auth.create_client(&root, "stays", &ClientInput { delete_on_expiration: false, ..short }).await.unwrap();
    world.clock.advance(1000);
    assert_eq!(world.auth.delete_expired_clients(10).await.unwrap(), 0, "valid to the end of its last millisecond");
    world.clock.advance(1);
    assert_eq!(world.auth.delete_expired_clients(10).await.unwrap(), 1);
    let root = world.as_root().await;
    assert_eq!(text(world.auth.client(&root, "goes")), "Client not found");
    assert!(world.auth.client(&root, "stays").is_ok());
    let last = world.auth.entity_history(&root, "client", "goes", ALL).await.unwrap().items.pop().unwrap();
    assert_eq!((last.action_type.as_str(), last.client_id.as_str()), ("expired", "static/taskcluster/auth"));
}
