//! The pages that look into things, in process: the whole history, refusals, and what scopes come to. What they show is what the use cases would tell.

use crate::site::{START_MS, Site, encode, site};
use falconer_auth::{Authentication, ClientInput, NewRefusal, RefusedBy, RefusedFor, RoleInput};
use falconer_scopes::Expression;

fn query(path: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<(String, String)> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    format!("{path}?{}", encode(&fields))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Root, two roles and a client.
async fn filled(site: &Site) {
    site.somebody("root", &["auth:*", "notes:*", "assume:readers", "assume:team"]).await;
    let root = Authentication::person("local/root");
    let role = |scopes: &[&str]| RoleInput { description: "A role".to_owned(), scopes: strings(scopes) };
    site.auth.create_role(&root, "team", &role(&["assume:readers"])).await.unwrap();
    site.auth.create_role(&root, "readers", &role(&["notes:read:*"])).await.unwrap();
    let input = ClientInput {
        expires_us: (START_MS + 86_400_000) * 1000,
        description: String::new(),
        scopes: Some(strings(&["assume:team"])),
        delete_on_expiration: false,
    };
    site.auth.create_client(&root, "project/zap", &input).await.unwrap();
    let input = ClientInput { description: "<b>new</b>".to_owned(), scopes: Some(strings(&["notes:read:blue"])), ..input };
    site.auth.update_client(&root, "project/zap", &input).await.unwrap();
    site.auth
        .update_role(&root, "readers", &RoleInput { description: "B".to_owned(), scopes: strings(&["notes:read:*", "notes:list"]) })
        .await
        .unwrap();
}

/// People's changes stood there without what they had changed.
#[tokio::test]
async fn the_history_of_people_says_how_it_was_before() {
    let site = site().await;
    site.login.set_groups("admin", "ann", &["blue".to_owned()]).await.unwrap();
    site.login.set_profile("admin", "ann", "Ann <b>B</b>", Some("ann@example.org")).await.unwrap();
    let mut reader = site.somebody("reader", &["auth:audit-history:*"]).await;
    let page = reader.get("/auth/audit?type=account&id=ann").await;
    for part in [
        "Groups: <span class=\"kept\">added blue; removed releng</span>",
        "<span class=\"hidden\">removed</span><code>assume:local-group:releng</code>",
        "E-mail address: <span class=\"soft\">before</span> <span class=\"kept\">ann@example.com</span>",
        "<span class=\"kept\">ann@example.org</span>",
        "Ann &#60;b&#62;B&#60;/b&#62;",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // Whoever may see all that somebody did sees that they did it, and nobody's address.
    let mut doings = site.somebody("doings", &["auth:client-audit-history:admin"]).await;
    let page = doings.get("/auth/audit?actor=admin").await;
    assert!(page.text.contains("<code>ann</code>") && !page.text.contains("ann@example"), "{}", page.text);
}

#[tokio::test]
async fn the_history_says_who_did_what_and_how_it_was_before() {
    let site = site().await;
    filled(&site).await;
    let mut reader = site.somebody("reader", &["auth:audit-history:*"]).await;
    let page = reader.get("/auth/audit").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in [
        "<code>project/zap</code></a> <b>updated</b>",
        "by <a href=\"/auth/audit?actor=local/root\"",
        "<span class=\"hidden\">added</span><code>notes:read:blue</code>",
        "<span class=\"hidden\">removed</span><code>assume:team</code>",
        "&#60;b&#62;new&#60;/b&#62;",
        "<span class=\"hidden\">added</span><code>notes:list</code>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // The newest comes first.
    assert!(page.text.find("notes:list").unwrap() < page.text.find("notes:read:blue").unwrap());
    for (fields, shown, hidden) in [
        (&[("type", "role")][..], "<code>readers</code>", "<code>project/zap</code>"),
        (&[("type", "client"), ("id", "project/zap")], "<code>project/zap</code>", "<code>readers</code>"),
        (&[("actor", "local/nobody")], "Nothing was found.", "<code>readers</code>"),
        (&[("actor", "local/root"), ("action", "created")], "<b>created</b>", "<b>updated</b>"),
        (&[("from", "2026-08-01"), ("until", "2026-08-01")], "<code>readers</code>", "Nothing was found."),
        (&[("until", "2026-07-31")], "Nothing was found.", "<code>readers</code>"),
        (&[("from", "2026-08-02")], "Nothing was found.", "<code>readers</code>"),
        (&[("id", "project/zap")], "choose which", "<code>readers</code>"),
        (&[("from", "yesterday")], "A day is written like", "<code>readers</code>"),
        (&[("actor", "\"><script>")], "Nothing was found.", "<script"),
    ] {
        let page = reader.get(&query("/auth/audit", fields)).await;
        assert!(page.text.contains(shown) && !page.text.contains(hidden), "{fields:?}: {}", page.text);
    }
}

/// Nobody sees more here than the API would tell them.
#[tokio::test]
async fn a_part_of_the_history_is_shown_to_whoever_may_see_that_part() {
    let site = site().await;
    filled(&site).await;
    let mut ann = site.ann().await;
    let refused = ann.get("/auth/audit").await;
    assert!(refused.status == 403 && refused.text.contains("auth:audit-history:*"), "{}", refused.text);
    let mut roles = site.somebody("roles", &["auth:audit-history:role"]).await;
    let page = roles.get("/auth/audit").await;
    assert!(page.text.contains("<code>readers</code>") && !page.text.contains("project/zap"), "{}", page.text);
    assert!(!page.text.contains("<option>client</option>") && page.text.contains("<option>role</option>"));
    for fields in [&[("type", "client")][..], &[("type", "client"), ("id", "project/zap")]] {
        let page = roles.get(&query("/auth/audit", fields)).await;
        assert!(page.status == 403 && page.text.contains("auth:audit-history:client"), "{}", page.text);
    }
    let of_root = roles.get("/auth/audit?actor=local%2Froot").await;
    assert!(of_root.text.contains("<code>readers</code>") && !of_root.text.contains("project/zap"), "{}", of_root.text);
    // Whoever may see all that one of them did, sees that.
    let mut doings = site.somebody("doings", &["auth:client-audit-history:local/root"]).await;
    assert_eq!(doings.get("/auth/audit").await.status, 403);
    let page = doings.get("/auth/audit?actor=local%2Froot").await;
    assert!(page.text.contains("<code>readers</code>") && page.text.contains("<code>project/zap</code>"), "{}", page.text);
    assert_eq!(doings.get("/auth/audit?actor=local%2Fann").await.status, 403);
}

#[tokio::test]
async fn the_history_is_shown_page_by_page() {
    let site = site().await;
    site.somebody("root", &["auth:*"]).await;
    let root = Authentication::person("local/root");
    for number in 0..120 {
        let input = RoleInput { description: String::new(), scopes: Vec::new() };
        site.auth.create_role(&root, &format!("r{number:03}"), &input).await.unwrap();
    }
    let mut reader = site.somebody("reader", &["auth:audit-history:role"]).await;
    let (mut next, mut seen) = (Some("/auth/audit?type=role".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = reader.get(&path).await;
        seen.extend(page.text.split("<code>r").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()));
        let older = page.text.split("<a class=\"button\" href=\"").find(|rest| rest.contains(">Older<"));
        next = older.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&"));
        assert!(seen.len() <= 120);
    }
    let expected: Vec<String> = (0..120).rev().map(|number| format!("{number:03}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_refusal_is_chosen_from_the_newest_and_explained() {
    let site = site().await;
    filled(&site).await;
    let scope = Expression::Scope("notes:read:blue".to_owned());
    let why = RefusedFor::Scopes { client_id: Some("project/<zap>".to_owned()), missing: Some(scope.clone()), required: Some(scope) };
    let id = site.auth.note_refusal(NewRefusal { by: RefusedBy::Check, parts: None, why, payload_hash: None });
    let mut ann = site.ann().await;
    for path in ["/auth/explain".to_owned(), query("/auth/explain", &[("id", &id)])] {
        let page = ann.get(&path).await;
        assert!(page.status == 403 && page.text.contains("auth:explain:*") && !page.text.contains("zap"), "{}", page.text);
    }
    let mut support = site.somebody("support", &["auth:explain:*", "auth:list-roles"]).await;
    let list = support.get("/auth/explain").await;
    assert!(list.text.contains(&format!("href=\"/auth/explain?id={id}\"")) && list.text.contains("project/&#60;zap&#62;"), "{}", list.text);
    let page = support.get(&query("/auth/explain", &[("id", &format!(" {id} "))])).await;
    assert_eq!(page.status, 200);
    for part in [
        "does not have the scopes.",
        "scopes-missing",
        "<a href=\"/auth/roles?id=readers\"><code>readers</code></a> has <code>notes:read:*</code>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let absent = support.get("/auth/explain?id=%3Cscript%3E").await;
    assert!(absent.status == 404 && absent.text.contains("remembers no refusal") && !absent.text.contains("<script"), "{}", absent.text);
    // Of one id only that one, and no list of the others.
    let mut one = site.somebody("one", &[&format!("auth:explain:{id}")]).await;
    let why = RefusedFor::Scopes { client_id: None, missing: None, required: None };
    let other = site.auth.note_refusal(NewRefusal { by: RefusedBy::Api, parts: None, why, payload_hash: None });
    let page = one.get("/auth/explain").await;
    assert!(page.text.contains(&id) && !page.text.contains(&other), "{}", page.text);
    assert_eq!(one.get(&query("/auth/explain", &[("id", &other)])).await.status, 403);
}

#[tokio::test]
async fn scopes_are_expanded_and_weighed_and_the_chain_is_shown() {
    let site = site().await;
    filled(&site).await;
    let refused = site.ann().await.get("/auth/scopes").await;
    assert!(refused.status == 403 && refused.text.contains("auth:expand-scopes"), "{}", refused.text);
    let mut reader = site.somebody("reader", &["auth:expand-scopes"]).await;
    assert_eq!(reader.get("/auth/scopes").await.status, 200);
    let given = "assume:team\r\nqueue:ping";
    let page = reader.get(&query("/auth/scopes", &[("given", given), ("required", "notes:read:blue\nqueue:ping")])).await;
    assert!(
        page.text.contains("They are enough") && page.text.contains("3 scopes") || page.text.contains("<code>notes:list</code>"),
        "{}",
        page.text
    );
    let chain = "<code>assume:team</code> → the role <a href=\"/auth/roles?id=team\"><code>team</code></a> has \
                 <code>assume:readers</code> → the role <a href=\"/auth/roles?id=readers\"><code>readers</code></a> has <code>notes:read:*</code>";
    assert!(page.text.contains(chain) && page.text.contains("given by <code>queue:ping</code>"), "{}", page.text);
    let required = r#"{"AllOf": ["queue:ping", {"AnyOf": ["paint:a", "paint:b"]}]}"#;
    let page = reader.get(&query("/auth/scopes", &[("given", given), ("required", required)])).await;
    assert!(page.text.contains("They are not enough") && page.text.contains("paint:b") && page.text.contains("not held"), "{}", page.text);
    for (field, wrong, text) in [
        ("given", "é", "is not a scope"),
        ("required", "{\"AnyOf\": 7}", "That is no expression"),
        ("required", &"[".repeat(5000), "That is no expression"),
        ("required", &(0..40).map(|n| format!("s{n}")).collect::<Vec<_>>().join("\n"), "is not explained"),
        ("scope", "a\nb", "Ask for one scope."),
        ("given", &"a\n".repeat(600), "At most 500 scopes"),
        ("given", "\"><script>alert(1)</script>", "They"),
    ] {
        let page = reader.get(&query("/auth/scopes", &[(field, wrong)])).await;
        assert!(page.status != 500 && !page.text.contains("<script"), "{wrong}");
        assert!(page.text.contains(text) || text == "They", "{wrong}: {}", page.text);
    }
}

#[tokio::test]
async fn who_has_a_scope_is_told_of_what_may_be_listed() {
    let site = site().await;
    filled(&site).await;
    let ask = query("/auth/scopes", &[("scope", "notes:read:blue")]);
    let mut blind = site.somebody("blind", &["auth:expand-scopes"]).await;
    let page = blind.get(&ask).await;
    for scope in ["auth:list-clients", "auth:list-roles", "auth:list-people"] {
        assert!(page.text.contains(&format!("<code>{scope}</code>")), "{}", page.text);
    }
    assert!(!page.text.contains("project/zap") && !page.text.contains("<code>readers</code>") && !page.text.contains("local/ann"));
    // Story: whoever could list people, and see none of them, was told for each scope who of them has it.
    let mut lister = site.somebody("lister", &["auth:expand-scopes", "auth:list-people"]).await;
    let page = lister.get(&ask).await;
    assert!(page.text.contains("<code>auth:get-person:*</code>") && !page.text.contains("local/root"), "{}", page.text);
    let mut partly = site.somebody("partly", &["auth:expand-scopes", "auth:list-people", "auth:get-person:local/root"]).await;
    let page = partly.get(&ask).await;
    assert!(page.text.contains("<code>local/root</code>") && !page.text.contains("local/ann"), "{}", page.text);
    let scopes = ["auth:expand-scopes", "auth:list-clients", "auth:list-roles", "auth:list-people", "auth:get-person:*"];
    let mut all = site.somebody("all", &scopes).await;
    let page = all.get(&ask).await;
    for id in ["project/zap", "team", "readers", "local/ann", "local/root"] {
        assert!(page.text.contains(&format!("<code>{id}</code>")), "{id}: {}", page.text);
    }
    assert!(!page.text.contains("<code>local/blind</code>"), "{}", page.text);
    let why = page.text.split("<a class=\"small\" href=\"").find(|rest| rest.contains("team has it")).unwrap();
    let page = all.get(&why.split('"').next().unwrap().replace("&#38;", "&")).await;
    assert!(page.text.contains("They are enough"), "{}", page.text);
}
