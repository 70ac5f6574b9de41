//! What nobody is given: each case is refused in SCIM's words with the status that it says, and leaves everything as it was.

use http::Method;
use serde_json::{Value, json};

use crate::company::{COMPANY, Company, OTHER, company, group_body, user_body};
use crate::patch;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

struct Case {
    what: &'static str,
    token: String,
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    headers: Vec<(&'static str, String)>,
    /// The status, and the `scimType`; empty: none.
    refused: (u16, &'static str),
}

/// Everything that there is, as both directories see it, and how much was ever changed.
async fn everything(company: &Company) -> (Vec<String>, String) {
    let mut all = Vec::new();
    for token in [COMPANY, OTHER] {
        for path in ["/Users", "/Groups"] {
            all.push(company.send(token, Method::GET, path, None, &[]).await.text);
        }
    }
    (all, format!("{:?}", company.site.auth.revision()))
}

struct Ids {
    ann: String,
    bob: String,
    group: String,
    foreign: String,
    foreign_group: String,
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn cases(ids: &Ids) -> Vec<Case> {
    let Ids { ann, bob, group, foreign, foreign_group } = ids;
    let mut cases = Vec::new();
    let mut add = |what, token: &str, method, path: String, body: Option<Value>, status, kind| {
        let body = body.map(|body| body.to_string().into_bytes());
        cases.push(Case { what, token: token.to_owned(), method, path, body, headers: Vec::new(), refused: (status, kind) });
    };
    let (user, of_group) = (format!("/Users/{ann}"), format!("/Groups/{group}"));
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    // Tokens.
    let upper = COMPANY.to_uppercase();
    for (what, token) in [
        ("no token", ""),
        ("a part of a token", &COMPANY[..30]),
        ("more than a token", &format!("{COMPANY}x")),
        ("another case", upper.as_str()),
        ("both tokens", &format!("{COMPANY},{OTHER}")),
        ("a star", "*"),
        ("a hash instead of a token", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ] {
        add(what, token, Method::DELETE, user.clone(), None, 401, "");
    }
    // What is another directory's.
    add("a foreign user read", COMPANY, Method::GET, format!("/Users/{foreign}"), None, 404, "");
    add("a foreign user written", COMPANY, Method::PUT, format!("/Users/{foreign}"), Some(user_body("9")), 404, "");
    add(
        "a foreign user switched off",
        COMPANY,
        Method::PATCH,
        format!("/Users/{foreign}"),
        Some(patch(json!([{"op": "replace", "value": {"active": false}}]))),
        404,
        "",
    );
    add("a foreign user deleted", COMPANY, Method::DELETE, format!("/Users/{foreign}"), None, 404, "");
    add("a foreign group read", COMPANY, Method::GET, format!("/Groups/{foreign_group}"), None, 404, "");
    add("a foreign group deleted", COMPANY, Method::DELETE, format!("/Groups/{foreign_group}"), None, 404, "");
    add(
        "a foreign user in a group of ours",
        COMPANY,
        Method::PATCH,
        of_group.clone(),
        Some(patch(json!([{"op": "add", "path": "members", "value": [{"value": foreign}]}]))),
        400,
        "invalidValue",
    );
    add(
        "a new group with a foreign user",
        COMPANY,
        Method::POST,
        "/Groups".into(),
        Some(group_body("new", &[foreign])),
        400,
        "invalidValue",
    );
    add(
        "a user of ours in a foreign group",
        COMPANY,
        Method::PATCH,
        format!("/Groups/{foreign_group}"),
        Some(patch(json!([{"op": "add", "path": "members", "value": [{"value": ann}]}]))),
        404,
        "",
    );
    // Ids that are none.
    for (what, id) in
        [("a user as a group", ann.as_str()), ("dots", ".."), ("percent", "%2e%2e"), ("a quote", "%27%20OR%201=1"), ("a null byte", "%00")]
    {
        add(what, COMPANY, Method::DELETE, format!("/Groups/{id}"), None, 404, "");
    }
    add("a path behind an id", COMPANY, Method::DELETE, format!("{user}/x"), None, 404, "");
    // Filters.
    for (what, filter) in [
        ("an injection into SQL", "userName eq \"a\" or 1=1"),
        ("a closing quote", "userName eq \"a\"\" or \"\"=\""),
        ("another operator", "userName co \"a\""),
        ("present", "userName pr"),
        ("brackets", "(userName eq \"a\")"),
        ("or", "userName eq \"a\" or userName eq \"b\""),
        ("not", "not (userName eq \"a\")"),
        ("an unknown attribute", "password eq \"a\""),
        ("a nested filter", "emails[type eq \"work\"].value eq \"a\""),
        ("no value", "userName eq"),
        ("a list", "userName eq [\"a\"]"),
        ("a number for a text", "userName eq 1"),
        ("nothing", ""),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        add(what, COMPANY, Method::GET, format!("/Users?filter={query}"), None, 400, "invalidFilter");
    }
    let brackets: String = url::form_urlencoded::byte_serialize(format!("{}id eq \"1\"", "(".repeat(900)).as_bytes()).collect();
    add("a deep filter", COMPANY, Method::GET, format!("/Users?filter={brackets}"), None, 400, "invalidFilter");
    add("a long filter", COMPANY, Method::GET, format!("/Users?filter=id+eq+%22{}%22", "x".repeat(3000)), None, 400, "invalidFilter");
    add(
        "many comparisons",
        COMPANY,
        Method::GET,
        format!("/Users?filter={}", ["id+eq+%221%22"; 50].join("+and+")),
        None,
        400,
        "invalidFilter",
    );
    add("a filter twice", COMPANY, Method::GET, "/Users?filter=id+eq+%221%22&filter=id+eq+%222%22".into(), None, 400, "invalidValue");
    add("a start that is no number", COMPANY, Method::GET, "/Users?startIndex=a".into(), None, 400, "invalidValue");
    // Users.
    let new = || user_body("new");
    for (what, body, kind) in [
        ("no schema", with(new(), "schemas", json!([])), "invalidSyntax"),
        ("another schema", with(new(), "schemas", json!([GROUP])), "invalidSyntax"),
        ("no name", with(new(), "userName", Value::Null), "invalidValue"),
        ("a name that is no text", with(new(), "userName", json!({"a": 1})), "invalidValue"),
        ("a long name", with(new(), "userName", json!("x".repeat(5000))), "invalidValue"),
        ("a name with a line", with(new(), "userName", json!("a\nb")), "invalidValue"),
        ("a name with spaces at its end", with(new(), "userName", json!("1234@example.com ")), "invalidValue"),
        ("no externalId", with(new(), "externalId", json!("")), "invalidValue"),
        ("a truth that is none", with(new(), "active", json!("yes")), "invalidValue"),
        ("a number for a truth", with(new(), "active", json!(1)), "invalidValue"),
        ("the same attribute in two cases", with(new(), "Active", json!(false)), "invalidSyntax"),
        ("an unknown attribute", with(new(), "isAdmin", json!(true)), "invalidSyntax"),
        ("an attribute of the schema that misses its colon", with(new(), &format!("{USER}active"), json!(false)), "invalidSyntax"),
        ("emails that are no list", with(new(), "emails", json!("a")), "invalidValue"),
        ("many emails", with(new(), "emails", json!(vec![json!({"value": "a"}); 21])), "invalidValue"),
        (
            "two primary emails",
            with(new(), "emails", json!([{"value": "a", "primary": true}, {"value": "b", "primary": "True"}])),
            "invalidValue",
        ),
        ("a deep body", with(new(), "title", deep(40)), "invalidSyntax"),
        ("a list", json!([new()]), "invalidSyntax"),
    ] {
        add(what, COMPANY, Method::POST, "/Users".into(), Some(body), 400, kind);
    }
    add("somebody's externalId", COMPANY, Method::POST, "/Users".into(), Some(with(new(), "externalId", json!("1234"))), 409, "uniqueness");
    add(
        "somebody's name in another case",
        COMPANY,
        Method::POST,
        "/Users".into(),
        Some(with(new(), "userName", json!("1234@EXAMPLE.COM"))),
        409,
        "uniqueness",
    );
    add(
        "another's name by a change",
        COMPANY,
        Method::PATCH,
        user.clone(),
        Some(patch(json!([{"op": "replace", "path": "userName", "value": "bob@example.com"}]))),
        409,
        "uniqueness",
    );
    add(
        "another subject by a whole one",
        COMPANY,
        Method::PUT,
        user.clone(),
        Some(with(user_body("1234"), "externalId", json!("root"))),
        400,
        "mutability",
    );
    add(
        "another id by a whole one",
        COMPANY,
        Method::PUT,
        user.clone(),
        Some(with(user_body("1234"), "id", json!(bob))),
        400,
        "mutability",
    );
    // Changes of parts.
    let bomb: Vec<Value> = vec![json!({"op": "add", "path": "displayName", "value": "x"}); 1001];
    for (what, operations, kind) in [
        ("no operations", json!([]), "invalidSyntax"),
        ("a bomb of operations", json!(bomb), "invalidSyntax"),
        ("an operation that is no object", json!(["add"]), "invalidSyntax"),
        ("an unknown operation", json!([{"op": "move", "path": "active", "value": true}]), "invalidSyntax"),
        ("no op", json!([{"path": "active", "value": true}]), "invalidSyntax"),
        ("a path that is no text", json!([{"op": "add", "path": 1, "value": true}]), "invalidPath"),
        ("a removal of everything", json!([{"op": "remove"}]), "noTarget"),
        ("an unknown path", json!([{"op": "add", "path": "isAdmin", "value": true}]), "invalidPath"),
        ("an unknown attribute without a path", json!([{"op": "add", "value": {"isAdmin": true}}]), "invalidPath"),
        ("a text without a path", json!([{"op": "add", "value": "x"}]), "invalidValue"),
        ("another id", json!([{"op": "replace", "path": "id", "value": bob}]), "mutability"),
        ("another id without a path", json!([{"op": "replace", "value": {"id": bob}}]), "mutability"),
        ("another version", json!([{"op": "replace", "path": "meta.version", "value": "W/\"9\""}]), "mutability"),
        ("another subject", json!([{"op": "replace", "path": "externalId", "value": "root"}]), "mutability"),
        ("no subject", json!([{"op": "remove", "path": "externalId"}]), "mutability"),
        ("no name", json!([{"op": "remove", "path": "userName"}]), "invalidValue"),
        ("neither active nor not", json!([{"op": "remove", "path": "active"}]), "invalidValue"),
        ("a truth that is null", json!([{"op": "replace", "path": "active", "value": null}]), "invalidValue"),
        ("an email that is not there", json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a"}]), "noTarget"),
        ("a removal of what is not there", json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]), "noTarget"),
        ("a filter by something else", json!([{"op": "add", "path": "emails[password eq \"a\"].value", "value": "a"}]), "invalidFilter"),
        ("a filter with or", json!([{"op": "add", "path": "emails[type eq \"a\" or type eq \"b\"].value", "value": "a"}]), "invalidFilter"),
        (
            "a path of the schema that misses its colon",
            json!([{"op": "replace", "path": format!("{USER}active"), "value": false}]),
            "invalidPath",
        ),
        ("a path of SCIM 1.1", json!([{"op": "replace", "path": "urn:scim:schemas:core:1.0:active", "value": false}]), "invalidPath"),
        ("a path of the other schema", json!([{"op": "replace", "path": format!("{GROUP}:active"), "value": false}]), "invalidPath"),
        ("the schema as an attribute", json!([{"op": "replace", "value": {(USER): {"active": false}}}]), "invalidPath"),
        ("half a path", json!([{"op": "add", "path": "emails[type eq \"a\"", "value": "a"}]), "invalidPath"),
        ("a part of a text", json!([{"op": "add", "path": "userName.x", "value": "a"}]), "invalidPath"),
        (
            "one good and one bad",
            json!([{"op": "replace", "path": "active", "value": false}, {"op": "replace", "path": "active", "value": "x"}]),
            "invalidValue",
        ),
    ] {
        add(what, COMPANY, Method::PATCH, user.clone(), Some(patch(operations)), 400, kind);
    }
    add("a change that is no change", COMPANY, Method::PATCH, user.clone(), Some(user_body("1234")), 400, "invalidSyntax");
    // Groups.
    let members: Vec<Value> = (0..10_001).map(|number| json!({"value": number.to_string()})).collect();
    let full = json!({"schemas": [GROUP], "displayName": "full", "members": members});
    for (what, body, kind) in [
        ("too many members", full, "invalidValue"),
        ("a member twice", group_body("twice", &[ann, ann]), "invalidValue"),
        ("nobody as a member", group_body("nobody", &["nobody"]), "invalidValue"),
        (
            "a group as a member",
            json!({"schemas": [GROUP], "displayName": "nested", "members": [{"value": group, "type": "Group"}]}),
            "invalidValue",
        ),
        ("a group's id as a user's", group_body("nested", &[group]), "invalidValue"),
        ("members that are texts", json!({"schemas": [GROUP], "displayName": "texts", "members": [ann]}), "invalidValue"),
        ("a group without a name", json!({"schemas": [GROUP]}), "invalidValue"),
        ("a group of another schema", json!({"schemas": [USER], "displayName": "x"}), "invalidSyntax"),
    ] {
        add(what, COMPANY, Method::POST, "/Groups".into(), Some(body), 400, kind);
    }
    add("a group's name in another case", COMPANY, Method::POST, "/Groups".into(), Some(group_body("RED", &[])), 409, "uniqueness");
    for (what, operations, kind) in [
        ("a member changed", json!([{"op": "replace", "path": "members[value eq \"a\"].value", "value": bob}]), "invalidPath"),
        ("members chosen by something else", json!([{"op": "remove", "path": "members[display eq \"a\"]"}]), "invalidFilter"),
        (
            "one good and one bad member",
            json!([{"op": "add", "path": "members", "value": [{"value": bob}, {"value": "nobody"}]}]),
            "invalidValue",
        ),
        (
            "a removal, and then nobody",
            json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [{"value": "nobody"}]}]),
            "invalidValue",
        ),
        ("a group without its name", json!([{"op": "remove", "path": "displayName"}]), "invalidValue"),
    ] {
        add(what, COMPANY, Method::PATCH, of_group.clone(), Some(patch(operations)), 400, kind);
    }
    let mut add_raw = |what, method, path: &str, body: Vec<u8>, headers: Vec<(&'static str, String)>, status, kind| {
        cases.push(Case {
            what,
            token: COMPANY.to_owned(),
            method,
            path: path.to_owned(),
            body: Some(body),
            headers,
            refused: (status, kind),
        });
    };
    // Bodies and heads.
    let fine = user_body("new").to_string().into_bytes();
    add_raw("an oversize body", Method::POST, "/Users", vec![b' '; 3 * 1024 * 1024], vec![], 413, "");
    add_raw("many values", Method::POST, "/Users", format!("[{}0]", "0,".repeat(70_000)).into_bytes(), vec![], 413, "");
    add_raw("a very deep body", Method::POST, "/Users", vec![b'['; 100_000], vec![], 400, "invalidSyntax");
    add_raw("no JSON", Method::POST, "/Users", b"{".to_vec(), vec![], 400, "invalidSyntax");
    let twice = format!(r#"{{"schemas":["{USER}"],"userName":"twice@example.com","externalId":"twice","active":false,"active":true}}"#);
    add_raw("a key twice", Method::POST, "/Users", twice.into_bytes(), vec![], 400, "invalidSyntax");
    let twice = format!(r#"{{"schemas":["{GROUP}"],"displayName":"twice","members":[{{"value":"nobody","v\u0061lue":"{ann}"}}]}}"#);
    add_raw("a key twice, once escaped, inside", Method::POST, "/Groups", twice.into_bytes(), vec![], 400, "invalidSyntax");
    add_raw("no UTF-8", Method::POST, "/Users", vec![0xff, 0xfe], vec![], 400, "invalidSyntax");
    add_raw("a form", Method::POST, "/Users", b"a=b".to_vec(), vec![("content-type", "application/x-www-form-urlencoded".into())], 415, "");
    add_raw("a compressed body", Method::POST, "/Users", fine.clone(), vec![("content-encoding", "gzip".into())], 415, "");
    add_raw(
        "an old version",
        Method::PUT,
        &user,
        user_body("1234").to_string().into_bytes(),
        vec![("if-match", "W/\"0\"".into())],
        412,
        "",
    );
    add_raw(
        "a version that is none",
        Method::PUT,
        &user,
        user_body("1234").to_string().into_bytes(),
        vec![("if-match", "W/\"1 OR 1=1\"".into())],
        412,
        "",
    );
    add_raw("another token beside it", Method::POST, "/Users", fine, vec![("authorization", format!("Bearer {OTHER}"))], 401, "");
    cases
}

#[tokio::test]
async fn nothing_of_it_is_accepted() {
    let company = company().await;
    let (ann, bob) = (company.push("1234").await, company.push("bob").await);
    let group = company.push_group("red", &[&ann]).await;
    let foreign = company.as_other().push("1234").await;
    let foreign_group = company.as_other().ok(Method::POST, "/Groups", Some(group_body("red", &[&foreign])), 201).await;
    let ids = Ids { ann, bob, group, foreign, foreign_group: foreign_group["id"].as_str().unwrap().to_owned() };
    company.sign_in("1234").await;
    company.sign_in_with("other", "1234").await;
    let before = everything(&company).await;
    let cases = cases(&ids);
    assert!(cases.len() >= 100, "{}", cases.len());
    for case in cases {
        let headers: Vec<(&str, &str)> = case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = company.send_bytes(&case.token, case.method, &case.path, case.body, &headers).await;
        let what = case.what;
        assert_eq!(page.status.as_u16(), case.refused.0, "{what}: {}", page.text);
        let error: Value = serde_json::from_str(&page.text).unwrap_or_else(|_| panic!("{what}: {}", page.text));
        assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{what}");
        assert_eq!(error["status"], case.refused.0.to_string(), "{what}");
        assert_eq!(error["scimType"].as_str().unwrap_or_default(), case.refused.1, "{what}: {}", page.text);
        assert!(page.text.len() < 1000, "{what}");
        assert_eq!(everything(&company).await, before, "{what}");
    }
}

/// A body is not waited for where the token is wrong.
#[tokio::test]
async fn a_stranger_costs_a_head() {
    use axum::body::Body;
    use http::Request;
    let company = company().await;
    let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request =
        Request::post("/scim/v2/Users").header("authorization", "Bearer x").header("content-type", "application/scim+json").body(never);
    assert_eq!(company.site.send(request.unwrap()).await.status, 401);
}
