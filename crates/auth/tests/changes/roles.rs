//! The role and scope methods by kind of caller, in the protocol's order of checks.

use crate::common::{World, sent_text, strings};
use falconer_auth::{ApiError, Authentication, PageQuery, RoleInput, Start};

fn text<T>(result: Result<T, ApiError>) -> String {
    sent_text(&result.err().expect("it was done"))
}

fn input(scopes: &[&str]) -> RoleInput {
    RoleInput { scopes: strings(scopes), description: String::new() }
}

#[tokio::test]
async fn create_stores_sorted_and_may_be_repeated_for_ever() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let (created, revision) = world.auth.create_role(&root, "team:*", &input(&["room:<..>/door", "badge:<..>", "aaa"])).await.unwrap();
    assert_eq!(created.scopes, strings(&["aaa", "badge:<..>", "room:<..>/door"]));
    assert_eq!(created.expanded_scopes.to_vec(), strings(&["aaa", "assume:team:*", "badge:*", "room:*"]));
    world.clock.advance(1_000_000_000);
    let root = world.as_root().await;
    let (repeated, same) = world.auth.create_role(&root, "team:*", &input(&["aaa", "room:<..>/door", "badge:<..>"])).await.unwrap();
    assert_eq!((repeated, same), (created, revision));
    assert_eq!(text(world.auth.create_role(&root, "team:*", &input(&["aaa"])).await), "Role with roleId 'team:*' already exists");
    let described = RoleInput { description: "new".to_owned(), ..input(&["aaa", "room:<..>/door", "badge:<..>"]) };
    assert_eq!(text(world.auth.create_role(&root, "team:*", &described).await), "Role with roleId 'team:*' already exists");
}

#[tokio::test]
async fn create_checks_in_order() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    let create =
        async |who: &Authentication, id: &str, scopes: &[&str]| text(world.auth.create_role(who, id, &input(scopes)).await.map(|_| ()));
    assert_eq!(create(&nobody, "r", &["a**"]).await, "scopes must not end with `**`");
    assert_eq!(create(&nobody, "grant:r", &[]).await, "`assume:grant:` is reserved");
    assert!(create(&nobody, "r", &["assume:r"]).await.starts_with("This request requires Taskcluster credentials"));
    world.role("r", &["a"]).await;
    assert_eq!(create(&root, "r", &["assume:r"]).await, "Role with roleId 'r' already exists", "before validation");
    assert_eq!(create(&root, "x", &["assume:x"]).await, "Roles may not contain dependency cycles, found: 'assume:x' -> 'assume:x'");
    assert_eq!(create(&root, "x:*", &["a:<..>:<..>"]).await, "parameterized scope 'a:<..>:<..>' contains multiple '<..>'");
    let weak = world.call(&world.client("weak", &["auth:create-role:x", "apple:*"]).await).await;
    assert!(create(&weak, "x", &["apple:1", "pear"]).await.contains("missing the following scopes:\n\n```\npear\n```"));
}

#[tokio::test]
async fn update_is_free_for_what_the_role_comes_to() {
    let world = World::bare().await;
    world.role("r-one", &["mm*", "assume:r-two"]).await;
    world.role("r-two", &["deep"]).await;
    let weak = world.call(&world.client("weak", &["auth:update-role:r-*"]).await).await;
    let (view, _) = world.auth.update_role(&weak, "r-one", &input(&["mmm:x", "deep", "mm"])).await.unwrap();
    assert_eq!(view.scopes, strings(&["deep", "mm", "mmm:x"]), "sorted");
    let refused = text(world.auth.update_role(&weak, "r-one", &input(&["mm", "pear", "plum"])).await);
    assert_eq!(
        refused,
        "Client ID weak does not have sufficient scopes and is missing the following scopes:\n\n```\n\
         {\n  \"AllOf\": [\n    \"pear\",\n    \"plum\"\n  ]\n}\n```\n\n\
         This request requires the client to satisfy the following scope expression:\n\n```\n\
         {\n  \"AllOf\": [\n    \"auth:update-role:r-one\",\n    \"pear\",\n    \"plum\"\n  ]\n}\n```"
    );
}

#[tokio::test]
async fn update_checks_in_order_and_keeps_the_order_of_star_roles() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    assert_eq!(text(world.auth.update_role(&nobody, "nope", &input(&["a**"])).await), "scopes must not end with `**`");
    assert_eq!(text(world.auth.update_role(&nobody, "nope", &input(&[])).await), "Role with roleId 'nope' not found");
    world.role("s:*", &["a"]).await;
    assert!(text(world.auth.update_role(&nobody, "s:*", &input(&[])).await).starts_with("This request requires"));
    let (view, _) = world.auth.update_role(&root, "s:*", &input(&["z", "b"])).await.unwrap();
    assert_eq!(view.scopes, strings(&["z", "b"]));
    assert_eq!(
        text(world.auth.create_role(&root, "s:*", &input(&["z", "b"])).await),
        "Role with roleId 's:*' already exists",
        "sorted input never equals what is stored unsorted"
    );
}

#[tokio::test]
async fn read_and_delete() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    world.role("team:*", &["a"]).await;
    assert_eq!(text(world.auth.role(&root, "team:red")), "Role not found", "the lookup is exact");
    assert_eq!(world.auth.role(&root, "team:*").unwrap().role_id, "team:*");
    assert!(text(world.auth.role(&nobody, "team:*")).contains("auth:get-role:team:*"));
    assert!(text(world.auth.delete_role(&nobody, "team:*").await).contains("auth:delete-role:team:*"));
    world.auth.delete_role(&root, "team:*").await.unwrap();
    world.auth.delete_role(&root, "team:*").await.unwrap();
    assert_eq!(text(world.auth.role(&root, "team:*")), "Role not found");
}

#[tokio::test]
async fn lists() {
    let world = World::bare().await;
    let (root, nobody) = (world.as_root().await, world.auth.nobody());
    for id in ["b", "a", "c"] {
        world.role(id, &[]).await;
    }
    let ids = |query| {
        let page = world.auth.list_role_ids(&root, query).unwrap();
        (page.items.join(" "), page.next)
    };
    assert_eq!(ids(None), ("a b c".to_owned(), None));
    assert_eq!(ids(Some(PageQuery::from_offset(0, 2))), ("a b".to_owned(), Some(Start::After("b".to_owned()))));
    assert_eq!(ids(Some(PageQuery::from_offset(2, 2))), ("c".to_owned(), None));
    assert_eq!(world.auth.list_roles(&root).unwrap().len(), 3);
    assert_eq!(world.auth.list_roles2(&root, Some(PageQuery::from_offset(1, 1))).unwrap().items[0].role_id, "b");
    for refused in
        [text(world.auth.list_roles(&nobody)), text(world.auth.list_roles2(&nobody, None)), text(world.auth.list_role_ids(&nobody, None))]
    {
        assert!(refused.contains("auth:list-roles"), "{refused}");
    }
}

#[tokio::test]
async fn role_changes_reach_clients_at_once() {
    let world = World::bare().await;
    let keys = world.client("x", &["assume:r"]).await;
    let scopes = async || crate::common::scopes_of(&world.verify(&keys).await).join(" ");
    assert_eq!(scopes().await, "assume:anonymous assume:r");
    world.role("r", &["a"]).await;
    assert_eq!(scopes().await, "a assume:anonymous assume:r");
    world.role("r", &["b"]).await;
    world.role("anonymous", &["lobby"]).await;
    assert_eq!(scopes().await, "assume:anonymous assume:r b lobby");
    let root = world.as_root().await;
    world.auth.delete_role(&root, "r").await.unwrap();
    assert_eq!(scopes().await, "assume:anonymous assume:r lobby");
}

#[tokio::test]
async fn expand_and_current_scopes() {
    let world = World::bare().await;
    let nobody = world.auth.nobody();
    assert!(text(world.auth.expand_scopes::<&str>(&nobody, &[])).contains("auth:expand-scopes"));
    assert!(text(world.auth.current_scopes(&nobody)).contains("auth:current-scopes"));
    world.role("anonymous", &["auth:current-scopes"]).await;
    world.role("r", &["x"]).await;
    assert_eq!(world.auth.current_scopes(&nobody).unwrap().to_vec(), strings(&["assume:anonymous", "auth:current-scopes"]));
    let root = world.as_root().await;
    assert_eq!(world.auth.current_scopes(&root).unwrap().to_vec(), strings(&["*"]));
    let given = strings(&["q", "assume:r", "assume:grant:r", "q*"]);
    assert_eq!(world.auth.expand_scopes(&root, &given).unwrap().to_vec(), strings(&["assume:r", "q*", "x"]));
}
