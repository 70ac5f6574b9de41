//! Many roles and clients at once, and one client whole: outcomes, order of checks, authorization, marks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod who_may;

use common::{Keys, World, message_of, scopes_of, sent_text, strings};
use falconer_auth::{
    ApiError, Authentication, Batch, BatchClient, BatchError, BatchReport, BatchRole, MINUTE_MS, Outcome, PageQuery, Revision, RoleInput,
    Secret,
};

const TOKEN: &str = "a-token-that-was-in-use-elsewhere_1234567890";

fn role(id: &str, scopes: &[&str]) -> BatchRole {
    BatchRole { role_id: id.to_owned(), input: RoleInput { scopes: strings(scopes), description: "a role".to_owned() } }
}

fn client(world: &World, id: &str, scopes: &[&str]) -> BatchClient {
    let input = world.input(scopes);
    BatchClient {
        client_id: id.to_owned(),
        expires_us: input.expires_us,
        description: input.description,
        scopes: strings(scopes),
        delete_on_expiration: false,
        disabled: None,
        access_token: None,
    }
}

fn with_token(client: BatchClient, token: &str) -> BatchClient {
    BatchClient { access_token: Some(Secret::new(token)), ..client }
}

async fn import(
    world: &World,
    who: &Authentication,
    roles: &[BatchRole],
    clients: &[BatchClient],
) -> Result<(BatchReport, Revision), Box<BatchError>> {
    world.auth.import(who, &Batch { roles: roles.to_vec(), clients: clients.to_vec() }).await
}

fn outcomes(report: &BatchReport) -> (Vec<Outcome>, Vec<Outcome>) {
    (report.roles.clone(), report.clients.iter().map(|(outcome, _)| *outcome).collect())
}

/// Where the fault is, and the first line of what is wrong.
fn fault(outcome: Result<(BatchReport, Revision), Box<BatchError>>) -> String {
    let fault = outcome.err().expect("it was done");
    let record = fault.record.map(|record| format!("{record}: ")).unwrap_or_default();
    let text = sent_text(&fault.error);
    format!("{record}{}", text.lines().next().unwrap_or_default())
}

async fn actions(world: &World, kind: &str, id: &str) -> Vec<String> {
    let root = world.as_root().await;
    let page = world.auth.entity_history(&root, kind, id, PageQuery::from_offset(0, 100)).await.unwrap();
    page.items.into_iter().map(|row| row.action_type).collect()
}

#[tokio::test]
async fn a_batch_makes_changes_and_leaves_alone() {
    let world = World::bare().await;
    world.role("there", &["t:1"]).await;
    let old = world.client("old", &["t:1"]).await;
    world.client("equal", &["z", "a"]).await;
    let root = world.as_root().await;
    let equal_role = world.auth.role(&root, "there").unwrap();
    let before = world.auth.revision();
    world.clock.advance(15 * MINUTE_MS);
    let root = world.as_root().await;
    // The first role needs the last, which is not there yet.
    let roles = [
        role("top", &["z", "assume:base", "b"]),
        BatchRole { role_id: "there".into(), input: RoleInput { scopes: equal_role.scopes, description: equal_role.description } },
        role("star*", &["z:<..>", "a:<..>"]),
        role("base", &["x:*"]),
    ];
    // What the API does not show of a stored client is no difference: the order of its scopes.
    let shown = client(&world, "equal", &["a", "z"]);
    let shown = BatchClient { expires_us: shown.expires_us - 15 * MINUTE_MS * 1000, ..shown };
    let changed = client(&world, "old", &["t:1", "assume:top"]);
    let clients = [client(&world, "new", &["assume:top"]), with_token(client(&world, "moved", &["m"]), TOKEN), shown, changed];
    let (report, revision) = import(&world, &root, &roles, &clients).await.unwrap();
    use Outcome::{Created, Unchanged, Updated};
    assert_eq!(outcomes(&report), (vec![Created, Unchanged, Created, Created], vec![Created, Created, Unchanged, Updated]));
    assert_eq!(revision, Revision(before.0 + 1), "one revision");
    assert_eq!(world.auth.revision(), revision);
    assert_eq!(world.auth.role(&root, "top").unwrap().scopes, strings(&["assume:base", "b", "z"]), "sorted");
    assert_eq!(world.auth.role(&root, "star*").unwrap().scopes, strings(&["z:<..>", "a:<..>"]), "a star role as given");

    let token = report.clients[0].1.as_ref().unwrap().expose().to_owned();
    assert_eq!(token.len(), 44);
    assert!(report.clients[1..].iter().all(|(_, token)| token.is_none()));
    assert_eq!(
        scopes_of(&world.verify(&Keys::new("new", &token)).await),
        strings(&["assume:anonymous", "assume:base", "assume:top", "b", "x:*", "z"])
    );
    assert_eq!(scopes_of(&world.verify(&Keys::new("moved", TOKEN)).await), strings(&["assume:anonymous", "m"]));
    assert!(scopes_of(&world.verify(&old).await).contains(&"x:*".to_owned()), "it keeps its token");
    assert_eq!(actions(&world, "client", "old").await, ["created", "updated"]);
    assert_eq!(actions(&world, "role", "top").await, ["created"]);

    // The store has the same.
    let other = world.reopen(common::settings()).await;
    for id in ["new", "moved", "old", "equal"] {
        assert_eq!(other.directory().client(id).unwrap().record(), world.auth.directory().client(id).unwrap().record(), "{id}");
    }
    assert_eq!(other.directory().role("star*"), world.auth.directory().role("star*"));
}

#[tokio::test]
async fn a_repeat_changes_nothing_and_gives_young_tokens_again() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let roles = [role("r", &["b", "a"]), role("s*", &["b", "a"])];
    let clients = [client(&world, "x", &["b", "a"]), with_token(client(&world, "y", &[]), TOKEN)];
    let batch = Batch { roles: roles.to_vec(), clients: clients.to_vec() };
    let (planned, _) = world.auth.plan_import(&root, &batch).unwrap();
    assert_eq!(outcomes(&planned), (vec![Outcome::Created; 2], vec![Outcome::Created; 2]));
    assert!(planned.clients[0].1.is_none() && world.auth.directory().client("x").is_none(), "a plan changes nothing");
    let (first, revision) = import(&world, &root, &roles, &clients).await.unwrap();
    let (planned, _) = world.auth.plan_import(&root, &batch).unwrap();
    assert!(planned.clients.iter().all(|(outcome, token)| *outcome == Outcome::Unchanged && token.is_none()));
    let token = |report: &BatchReport| report.clients[0].1.as_ref().map(|token| token.expose().to_owned());
    assert!(token(&first).is_some());
    world.clock.advance(15 * MINUTE_MS - 1);
    let root = world.as_root().await;
    let (repeated, same) = import(&world, &root, &roles, &clients).await.unwrap();
    assert_eq!(outcomes(&repeated), (vec![Outcome::Unchanged; 2], vec![Outcome::Unchanged; 2]));
    assert_eq!((token(&repeated), same), (token(&first), revision));
    // Somebody who could change the client, but not make it, is not owed the token.
    let editor =
        world.client("editor", &["auth:update-client:x", "auth:update-role:*", "auth:update-client:y", "auth:set-access-token:y"]).await;
    let editor = world.call(&editor).await;
    let (seen, _) = import(&world, &editor, &roles, &clients).await.unwrap();
    assert_eq!((outcomes(&seen), token(&seen)), (outcomes(&repeated), None));
    // Nor is somebody else who could make it: they have asked for no credential of a colleague's client.
    let colleague = ["auth:create-client:*", "auth:create-role:*", "auth:update-role:*", "auth:set-access-token:y", "a", "b"];
    let colleague = world.client("colleague", &colleague).await;
    let colleague = world.call(&colleague).await;
    let revision = world.auth.revision();
    let (seen, _) = import(&world, &colleague, &roles, &clients).await.unwrap();
    assert_eq!((outcomes(&seen), token(&seen)), (outcomes(&repeated), None));
    world.clock.advance(1);
    let root = world.as_root().await;
    let (late, same) = import(&world, &root, &roles, &clients).await.unwrap();
    assert_eq!((outcomes(&late), token(&late), same), (outcomes(&repeated), None, revision));
    assert_eq!(actions(&world, "client", "x").await, ["created"], "what changes nothing leaves nothing");
}

#[tokio::test]
async fn microseconds_that_the_api_does_not_show_are_no_difference() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let fine = BatchClient { expires_us: 4_000_000_000_123_456, ..client(&world, "x", &[]) };
    import(&world, &root, &[], std::slice::from_ref(&fine)).await.unwrap();
    for (expires_us, expected) in [
        (4_000_000_000_123_456, Outcome::Unchanged),
        (4_000_000_000_123_000, Outcome::Unchanged),
        (4_000_000_000_123_457, Outcome::Updated),
    ] {
        let shown = BatchClient { expires_us, ..fine.clone() };
        let (report, _) = import(&world, &root, &[], &[shown]).await.unwrap();
        assert_eq!(report.clients[0].0, expected, "{expires_us}");
    }
}

#[tokio::test]
async fn what_is_wrong_names_its_record_and_leaves_nothing() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let nobody = world.auth.nobody();
    let fine = [role("fine", &["a"]), role("fine:*", &["a:<..>"])];
    let cases: Vec<(Vec<BatchRole>, Vec<BatchClient>, &str)> = vec![
        (vec![role("a", &[]), role("b", &[]), role("a", &["x"])], vec![], r#"roles[2] "a": roles[0] has the same id"#),
        (vec![], vec![client(&world, "a", &[]), client(&world, "a", &[])], r#"clients[1] "a": clients[0] has the same id"#),
        (vec![role("x", &["a**"])], vec![], r#"roles[0] "x": scopes must not end with `**`"#),
        (vec![role("grant:x", &[])], vec![], r#"roles[0] "grant:x": `assume:grant:` is reserved"#),
        (vec![], vec![client(&world, "a", &["assume:grant:g"])], r#"clients[0] "a": `assume:grant:` is reserved"#),
        (
            vec![],
            vec![client(&world, "a", &[]), client(&world, "static/x", &[])],
            r#"clients[1] "static/x": clientId "static/x" starts with "static/" which is reserved for statically configured clients. Contact your administrator to change static clients."#,
        ),
    ];
    let before = world.auth.revision();
    for (roles, clients, expected) in &cases {
        // Before anybody is asked who they are.
        for who in [&root, &nobody] {
            assert_eq!(&fault(import(&world, who, roles, clients).await), expected);
            let planned = world.auth.plan_import(who, &Batch { roles: roles.clone(), clients: clients.clone() });
            assert_eq!(planned.err().unwrap().record.unwrap().to_string(), expected.split(": ").next().unwrap());
        }
    }
    let cycles = [
        (
            vec![role("x", &["<..><..>", "assume:y"]), role("s*", &["a:<..>:<..>"])],
            r#"roles[3] "s*": parameterized scope 'a:<..>:<..>' contains multiple '<..>'"#,
        ),
        (
            vec![role("x", &["assume:y"]), role("y", &["assume:z"]), role("z", &["assume:x"])],
            r#"roles[4] "z": Roles may not contain dependency cycles, found: 'assume:x' -> 'assume:y' -> 'assume:z' -> 'assume:x'"#,
        ),
    ];
    for (roles, expected) in cycles {
        let outcome = import(&world, &root, &[&fine[..], &roles].concat(), &[client(&world, "c", &[])]).await;
        let text = fault(outcome);
        // Any role of the cycle is a right answer; the message is the exact one.
        assert_eq!(text.split_once(": ").unwrap().1, expected.split_once(": ").unwrap().1);
        assert!(text.starts_with("roles["), "{text}");
    }
    // A cycle through a role that is there already.
    world.role("old", &["assume:new"]).await;
    let text = fault(import(&world, &root, &[role("new", &["assume:old"])], &[]).await);
    assert_eq!(text, r#"roles[0] "new": Roles may not contain dependency cycles, found: 'assume:old' -> 'assume:new' -> 'assume:old'"#);
    assert_eq!(world.auth.revision(), Revision(before.0 + 1));
    assert!(world.auth.directory().client("c").is_none() && world.auth.directory().role("fine").is_none());
    let wrong = world.call(&Keys::new("static/falconer/root", "wrong-token")).await;
    assert_eq!(fault(import(&world, &wrong, &fine, &[]).await), "Unauthorized: Bad mac");
}

#[tokio::test]
async fn one_client_is_put_whole() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let wanted = with_token(client(&world, "p/x", &["b", "a"]), TOKEN);
    let (view, outcome, revision) = world.auth.put_client(&root, &wanted).await.unwrap();
    assert_eq!((view.scopes, view.access_token.is_none(), outcome), (strings(&["a", "b"]), true, Outcome::Created));
    let keys = Keys::new("p/x", TOKEN);
    assert_eq!(scopes_of(&world.verify(&keys).await), strings(&["a", "assume:anonymous", "b"]));
    world.clock.advance(1000);
    let root = world.as_root().await;
    let (same, outcome, at) = world.auth.put_client(&root, &wanted).await.unwrap();
    assert_eq!((outcome, at, same.last_modified_ms), (Outcome::Unchanged, revision, common::START_MS));

    let other = BatchClient {
        description: "moved".into(),
        scopes: strings(&["c"]),
        delete_on_expiration: true,
        disabled: Some(true),
        ..with_token(wanted.clone(), "another-token-that-is-long-enough")
    };
    let (view, outcome, _) = world.auth.put_client(&root, &other).await.unwrap();
    assert_eq!((view.description.as_str(), view.delete_on_expiration, view.disabled, outcome), ("moved", true, true, Outcome::Updated));
    assert_eq!((view.created_ms, view.last_modified_ms, view.last_rotated_ms), (common::START_MS, world.now(), world.now()));
    assert_eq!(message_of(&world.verify(&keys).await), "Unauthorized: Bad mac", "the old token is over at once");
    // Left out, it stays switched off.
    let (view, _, _) = world.auth.put_client(&root, &BatchClient { disabled: None, ..other }).await.unwrap();
    assert!(view.disabled);
    assert_eq!(actions(&world, "client", "p/x").await, ["created", "access token set"]);

    let text = |outcome: Result<_, ApiError>| sent_text(&outcome.err().expect("it was done"));
    let fixed = BatchClient { client_id: "static/x".into(), ..wanted.clone() };
    assert!(text(world.auth.put_client(&world.auth.nobody(), &fixed).await).contains("reserved for statically configured clients"));
    let named = BatchClient { client_id: "p/y".into(), scopes: strings(&["a**"]), ..wanted.clone() };
    assert_eq!(text(world.auth.put_client(&world.auth.nobody(), &named).await), "scopes must not end with `**`");
    let anonymous = text(world.auth.put_client(&world.auth.nobody(), &wanted).await);
    assert!(anonymous.starts_with("This request requires Taskcluster credentials"), "{anonymous}");
    world.person("sso/ann", &["p:*"]).await;
    let issued = world.auth.add_grant(common::new_grant("sso/ann", &["p:1"], world.now())).await.unwrap();
    let taken = BatchClient { client_id: issued.grant.client_id.clone(), ..wanted };
    assert_eq!(text(world.auth.put_client(&root, &taken).await), format!("clientId \"{}\" belongs to a grant", issued.grant.client_id));
}

#[tokio::test]
async fn batches_at_once_are_all_there() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let mut tasks = Vec::new();
    for batch in 0..16 {
        let clients: Vec<BatchClient> = (0..20).map(|n| client(&world, &format!("b{batch}/{n}"), &["x"])).collect();
        let roles = vec![role(&format!("b{batch}"), &["x"]), role("shared", &["x"])];
        let (auth, root) = (world.auth.clone(), root.clone());
        tasks.push(tokio::spawn(async move { auth.import(&root, &Batch { roles, clients }).await.unwrap() }));
    }
    let mut created = 0;
    for task in tasks {
        let (report, _) = task.await.unwrap();
        created += report.roles.iter().filter(|outcome| **outcome == Outcome::Created).count();
        assert!(report.clients.iter().all(|(outcome, token)| *outcome == Outcome::Created && token.is_some()));
    }
    assert_eq!(created, 17, "the shared role is made once");
    assert_eq!(world.auth.directory().clients("b").count(), 320);
    let stored = world.store.load().await.unwrap();
    assert_eq!((stored.clients.len(), stored.roles.len(), stored.revision), (321, 17, world.auth.revision()));
}

/// Another node has written what this one has not heard of: the batch is decided again on what is there.
#[tokio::test]
async fn a_batch_that_was_decided_on_old_ground_is_decided_again() {
    let world = World::bare().await;
    world.role("r", &["a"]).await;
    let other = world.reopen(common::settings()).await;
    let root = world.as_root().await;
    let theirs = [client(&world, "x", &["theirs"]), client(&world, "equal", &["a"])];
    let roles = [role("r", &["a", "theirs"]), role("cycle", &["assume:mine"])];
    let (_, there) = other.import(&root, &Batch { roles: roles.to_vec(), clients: theirs.to_vec() }).await.unwrap();
    assert!(world.auth.revision() < there);
    let mine = [client(&world, "x", &["mine"]), theirs[1].clone(), client(&world, "y", &["mine"])];
    let (report, revision) = import(&world, &root, &[role("r", &["a"])], &mine).await.unwrap();
    assert_eq!(outcomes(&report), (vec![Outcome::Updated], vec![Outcome::Updated, Outcome::Unchanged, Outcome::Created]));
    assert_eq!((revision, world.auth.revision()), (Revision(there.0 + 1), Revision(there.0 + 1)));
    assert_eq!(world.auth.role(&root, "r").unwrap().scopes, strings(&["a"]));

    let unseen = [client(&world, "z", &[])];
    other.import(&root, &Batch { roles: vec![role("late", &["assume:mine"])], clients: unseen.to_vec() }).await.unwrap();
    // Nothing of this batch is in the way of theirs, but its roles are: together they would close a circle.
    let text = fault(import(&world, &root, &[role("mine", &["assume:late"])], &[]).await);
    assert!(text.starts_with(r#"roles[0] "mine": Roles may not contain dependency cycles"#), "{text}");
    assert_eq!(world.auth.directory().client("z").unwrap().record().description, "a client", "it has looked again");
}

/// Each record of a batch had the same detail, which was none: nobody could see what an import had changed.
#[tokio::test]
async fn the_history_says_what_an_import_changed_of_each_record() {
    let world = World::bare().await;
    world.role("there", &["t:1"]).await;
    world.client("old", &["t:1"]).await;
    let root = world.as_root().await;
    let changed = with_token(BatchClient { disabled: Some(true), ..client(&world, "old", &["t:2"]) }, TOKEN);
    import(&world, &root, &[role("there", &["t:1", "t:3"]), role("new", &["t:4"])], &[changed]).await.unwrap();
    let detail = async |kind: &str, id: &str| {
        let rows = world.store.entity_history(kind, id, falconer_store::AuditStart::Offset(0), 9).await.unwrap();
        rows.last().unwrap().detail.clone()
    };
    assert_eq!(detail("role", "there").await.unwrap()["scopes"], serde_json::json!({"added": ["t:3"], "removed": []}));
    assert_eq!(detail("role", "new").await, None);
    let of_client = detail("client", "old").await.unwrap();
    assert_eq!(of_client["scopes"], serde_json::json!({"added": ["t:2"], "removed": ["t:1"]}));
    assert_eq!(of_client["disabled"], serde_json::json!({"before": false, "after": true}));
    assert!(!of_client.to_string().contains(TOKEN), "no secrets");
}
