//! What services publish about their scopes, by the API.

use serde_json::{Value, json};

use crate::support::{Call, call, node, root};

fn here(verb: &str, route: &str) -> Call {
    call(verb, &format!("/api/falconer/v1/scope-registries{route}"))
}

fn body(namespace: &str) -> Value {
    json!({ "scopes": [
        { "template": format!("{namespace}:read:<book>"), "sentence": "Read what is in <book>" },
        { "template": format!("{namespace}:burn"), "sentence": "Burn all", "risk": "high" },
    ] })
}

#[tokio::test]
async fn a_service_publishes_reads_and_takes_back_what_it_says() {
    let node = node().await;
    let service = node.new_client("services/notes", &["auth:publish-scopes:notes"]).await;
    let put = node.send(here("PUT", "/notes").by(service.clone()).json(body("notes"))).await;
    assert_eq!((put.status.as_u16(), &put.json["publishedBy"]), (200, &json!("services/notes")), "{}", put.json);
    assert_eq!(put.json["scopes"][0], json!({ "template": "notes:read:<book>", "sentence": "Read what is in <book>", "risk": "ordinary" }));
    let revision = put.header("falconer-revision").unwrap().to_owned();
    // The same once more changes nothing, another does.
    node.advance(1000);
    let again = node.send(here("PUT", "/notes").by(root()).json(body("notes"))).await;
    assert_eq!((again.header("falconer-revision"), &again.json), (Some(revision.as_str()), &put.json));
    let one = node.send(here("GET", "/notes").by(service.clone())).await;
    assert_eq!((one.status.as_u16(), &one.json), (200, &put.json));
    let other = json!({ "scopes": [{ "template": "notes:x", "sentence": "X" }] });
    let changed = node.send(here("PUT", "/notes").by(root()).json(other)).await;
    assert_eq!((&changed.json["created"], changed.json["scopes"].as_array().unwrap().len()), (&put.json["created"], 1));
    assert_ne!(changed.json["lastModified"], put.json["lastModified"]);
    // It has nothing to do with other namespaces, also with those that begin alike.
    for namespace in ["notes-admin", "note", "notesx", "Notes"] {
        let refused = node.send(here("PUT", &format!("/{namespace}")).by(service.clone()).json(body(namespace))).await;
        assert_eq!(refused.status, 403, "{namespace}: {}", refused.json);
        assert_eq!(node.send(here("DELETE", &format!("/{namespace}")).by(service.clone())).await.status, 403);
    }
    assert_eq!(node.send(here("GET", "").by(service.clone())).await.status, 403);
    for status in [204, 204] {
        assert_eq!(node.send(here("DELETE", "/notes").by(service.clone())).await.status, status);
    }
    assert_eq!(node.send(here("GET", "/notes").by(service)).await.status, 404);
}

#[tokio::test]
async fn what_is_published_is_listed_in_pages() {
    let node = node().await;
    for at in 0..5 {
        let namespace = format!("service-{at}");
        assert_eq!(node.send(here("PUT", &format!("/{namespace}")).by(root()).json(body(&namespace))).await.status, 200);
    }
    let (mut seen, mut token) = (Vec::new(), None::<String>);
    loop {
        let after = token.map(|token| format!("&continuationToken={token}")).unwrap_or_default();
        let page = node.send(here("GET", &format!("?limit=2{after}")).by(root())).await;
        let list = page.json["scopeRegistries"].as_array().unwrap().clone();
        assert!(list.iter().all(|one| one["scopes"] == 2), "{}", page.json);
        seen.extend(list.iter().map(|one| one["namespace"].as_str().unwrap().to_owned()));
        token = page.json["continuationToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..5).map(|at| format!("service-{at}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_can_not_be_published_is_said_and_changes_nothing() {
    let node = node().await;
    let before = node.auth.revision();
    let one = |template: &str, sentence: &str| json!({ "scopes": [{ "template": template, "sentence": sentence }] });
    let long = "x".repeat(201);
    let wide = "\u{3a9}".repeat(101);
    let many: Vec<Value> = (0..501).map(|at| json!({ "template": format!("notes:{at}"), "sentence": "X" })).collect();
    for (namespace, body, said) in [
        ("auth", one("auth:x", "X"), "Falconer's to say"),
        ("AUTH", one("AUTH:x", "X"), "Falconer's to say"),
        ("assume", one("assume:x", "X"), "Falconer's to say"),
        ("Falconer", one("Falconer:x", "X"), "Falconer's to say"),
        ("no%20tes", one("no tes:x", "X"), "namespace"),
        ("notes", one("queue:x", "X"), "begin with"),
        ("notes", one("notes-admin:x", "X"), "begin with"),
        ("notes", one("notes", "X"), "begin with"),
        ("notes", one("notes:*", "X"), "without a star"),
        ("notes", one("notes:<x>", "Read <y>"), "which `template` does not have"),
        ("notes", one("notes:<x><y>", "X"), "nothing between them"),
        ("notes", one("notes:x", "Harmless\u{202e}"), "visible text"),
        ("notes", one("notes:x", "Two\nlines"), "visible text"),
        ("notes", one("notes:x", "zero\u{200b}width"), "visible text"),
        ("notes", one("notes:x", " "), "visible text"),
        ("notes", one("notes:x", ""), "sentence"),
        ("notes", one("notes:x", &long), "sentence"),
        ("notes", one("notes:x", &wide), "at most 200 bytes"),
        ("notes", json!({ "scopes": [] }), "scopes"),
        ("notes", json!({ "scopes": many }), "scopes"),
        ("notes", json!({ "scopes": [{ "template": "notes:x", "sentence": "X", "risk": "low" }] }), "risk"),
        ("notes", json!({ "scopes": [{ "template": "notes:x", "sentence": "X", "html": true }] }), "html"),
        ("notes", json!({ "scopes": [one("notes:x", "X")["scopes"][0], one("notes:x", "Y")["scopes"][0]] }), "twice"),
        ("notes", json!([]), ""),
    ] {
        let refused = node.send(here("PUT", &format!("/{namespace}")).by(root()).json(body.clone())).await;
        assert_eq!(refused.status, 400, "{namespace} {body}: {}", refused.json);
        assert!(refused.message().contains(said), "{said}: {}", refused.message());
    }
    assert_eq!(node.auth.revision(), before);
}

/// All servers keep all of it in memory, and each scope that is shown is looked up among it.
#[tokio::test]
async fn there_are_so_many_at_most() {
    let node = node().await;
    let put = async |namespace: &str, body: Value| node.send(here("PUT", &format!("/{namespace}")).by(root()).json(body)).await;
    for at in 0..200 {
        let namespace = format!("n{at}");
        assert_eq!(put(&namespace, body(&namespace)).await.status, 200);
    }
    let more = put("one-more", body("one-more")).await;
    assert_eq!((more.status.as_u16(), more.code()), (409, "RequestConflict"), "{}", more.json);
    assert!(more.message().contains("delete what is not used"), "{}", more.message());
    let large = |namespace: &str| {
        let sentence = "x".repeat(200);
        let scopes: Vec<Value> =
            (0..500).map(|at| json!({ "template": format!("{namespace}:{at:0>180}"), "sentence": sentence })).collect();
        json!({ "scopes": scopes })
    };
    // Those that are there can be changed, until all together are too large.
    let mut statuses = Vec::new();
    for at in 0..24 {
        let namespace = format!("n{at}");
        statuses.push(put(&namespace, large(&namespace)).await.status.as_u16());
    }
    assert!(statuses.starts_with(&[200; 20]) && statuses.ends_with(&[409]), "{statuses:?}");
    assert_eq!(node.send(here("DELETE", "/n0").by(root())).await.status, 204);
    assert_eq!(put("one-more", body("one-more")).await.status, 200);
}
