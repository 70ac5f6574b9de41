//! What is refused, and whom its server may have asked.

use super::*;

/// A change of a good document.
type Change = fn(&mut Value);

/// What is wrong in a document.
pub const WRONG: [(&str, Change); 30] = [
    ("another client_id", |d| d["client_id"] = json!("https://agent.example.com/other.json")),
    ("a client_id of another host", |d| d["client_id"] = json!("https://evil.example.com/client.json")),
    ("a client_id with a slash behind it", |d| d["client_id"] = json!(format!("{}/", d["client_id"].as_str().unwrap()))),
    ("a client_id in capitals", |d| d["client_id"] = json!(d["client_id"].as_str().unwrap().replace("agent", "AGENT"))),
    ("a client_id with the port written out", |d| d["client_id"] = json!(d["client_id"].as_str().unwrap().replace(".com/", ".com:443/"))),
    ("no client_id", |d| d["client_id"] = Value::Null),
    ("a client_id that is no text", |d| d["client_id"] = json!([d["client_id"]])),
    ("a secret", |d| d["client_secret"] = json!("s3cret")),
    ("an empty secret", |d| d["client_secret"] = json!("")),
    ("the end of a secret", |d| d["client_secret_expires_at"] = json!(0)),
    ("a proof by secret", |d| d["token_endpoint_auth_method"] = json!("client_secret_basic")),
    ("a proof by secret in the form", |d| d["token_endpoint_auth_method"] = json!("client_secret_post")),
    ("a proof by signing with a secret", |d| d["token_endpoint_auth_method"] = json!("client_secret_jwt")),
    ("a proof by key", |d| d["token_endpoint_auth_method"] = json!("private_key_jwt")),
    ("a proof that is no text", |d| d["token_endpoint_auth_method"] = json!(1)),
    ("another grant_type", |d| d["grant_types"] = json!(["client_credentials"])),
    ("grant_types that are a text", |d| d["grant_types"] = json!("authorization_code")),
    ("another response_type", |d| d["response_types"] = json!(["token"])),
    ("no redirect_uris", |d| _ = d.as_object_mut().unwrap().remove("redirect_uris")),
    ("an empty list of redirect_uris", |d| d["redirect_uris"] = json!([])),
    ("redirect_uris that are a text", |d| d["redirect_uris"] = json!(BACK)),
    ("redirect_uris that are no texts", |d| d["redirect_uris"] = json!([1])),
    ("too many redirect_uris", |d| d["redirect_uris"] = json!((0..21).map(|n| format!("{BACK}{n}")).collect::<Vec<_>>())),
    ("a redirect_uri of another host", |d| d["redirect_uris"] = json!(["https://evil.example.com/back"])),
    ("a redirect_uri of a host below", |d| d["redirect_uris"] = json!(["https://x.agent.example.com/back"])),
    ("a redirect_uri of another port", |d| d["redirect_uris"] = json!(["https://agent.example.com:444/back"])),
    ("a redirect_uri in the clear", |d| d["redirect_uris"] = json!(["http://agent.example.com/back"])),
    ("a redirect_uri with a fragment", |d| d["redirect_uris"] = json!([format!("{BACK}#x")])),
    ("a redirect_uri that is a script", |d| d["redirect_uris"] = json!(["javascript:alert(1)"])),
    ("a redirect_uri that leads to Falconer", |d| d["redirect_uris"] = json!(["https://auth.example.com/"])),
];

#[tokio::test]
async fn documents_that_are_wrong_are_refused_and_nobody_is_sent_anywhere() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    for (n, (name, change)) in WRONG.iter().enumerate() {
        let path = format!("/wrong-{n}.json");
        let id = format!("https://agent.example.com{path}");
        let mut wrong = document();
        wrong["client_id"] = json!(id);
        change(&mut wrong);
        world.put(&path, of("200 OK", "application/json", "", &wrong.to_string()));
        refused(&mut ann, &asks(&[("client_id", &id)]), name).await;
        world.site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    }
    assert_eq!(world.asked(), WRONG.len());
}

/// What the server says of a path with this number.
type Answers = Box<dyn Fn(usize) -> Answer>;

/// What is no document, however good what is in it.
pub fn answers() -> Vec<(&'static str, Answers)> {
    let good = |n: usize| {
        let mut good = document();
        good["client_id"] = json!(format!("https://agent.example.com/n-{n}.json"));
        good.to_string()
    };
    let redirect = |status: &str, to: &str| of(status, "application/json", &format!("Location: {to}\r\n"), "{}");
    vec![
        ("a page", Box::new(move |n| of("200 OK", "text/html", "", &good(n)))),
        ("no content type", Box::new(move |n| of("200 OK", "", "", &good(n)))),
        ("a text", Box::new(move |n| of("200 OK", "text/json", "", &good(n)))),
        ("not found", Box::new(move |n| of("404 Not Found", "application/json", "", &good(n)))),
        ("made", Box::new(move |n| of("201 Created", "application/json", "", &good(n)))),
        ("a failure", Box::new(move |n| of("500 Oh", "application/json", "", &good(n)))),
        ("no JSON", Box::new(|_| of("200 OK", "application/json", "", "{\"client_id\":"))),
        ("nothing", Box::new(|_| of("200 OK", "application/json", "", ""))),
        ("a list", Box::new(move |n| of("200 OK", "application/json", "", &format!("[{}]", good(n))))),
        ("deep JSON", Box::new(|_| of("200 OK", "application/json", "", &"[".repeat(BYTES - 10)))),
        (
            "deep JSON inside",
            Box::new(move |n| {
                of(
                    "200 OK",
                    "application/json",
                    "",
                    &good(n).replacen('{', &format!("{{\"x\":{}{},", "[".repeat(1000), "]".repeat(1000)), 1),
                )
            }),
        ),
        ("more behind it", Box::new(move |n| of("200 OK", "application/json", "", &format!("{} {{}}", good(n))))),
        ("too long", Box::new(move |n| of("200 OK", "application/json", "", &format!("{}{}", good(n), " ".repeat(BYTES))))),
        (
            "longer than it says",
            Box::new(move |n| {
                let body = format!("{}{}", good(n), " ".repeat(BYTES * 3));
                Answer {
                    bytes: format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{body}"),
                    hangs: false,
                }
            }),
        ),
        ("no HTTP", Box::new(|_| Answer { bytes: "what?\r\n\r\n".to_owned(), hangs: false })),
        (
            "half of it",
            Box::new(move |n| {
                let whole = of("200 OK", "application/json", "", &good(n)).bytes;
                Answer { bytes: whole[..whole.len() - 5].to_owned(), hangs: false }
            }),
        ),
        ("a redirect to a good one", Box::new(move |_| redirect("302 Found", "/client.json"))),
        ("a lasting redirect", Box::new(move |_| redirect("301 Moved", "https://agent.example.com/client.json"))),
        ("a redirect inside", Box::new(move |_| redirect("307 Temporary Redirect", "http://169.254.169.254/latest/meta-data/"))),
        ("a redirect to this machine", Box::new(move |_| redirect("308 Permanent Redirect", "http://127.0.0.1:1/"))),
    ]
}

#[tokio::test]
async fn what_is_no_document_is_refused() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let answers = answers();
    for (n, (name, answer)) in answers.iter().enumerate() {
        world.put(&format!("/n-{n}.json"), answer(n));
        let page = refused(&mut ann, &asks(&[("client_id", &format!("https://agent.example.com/n-{n}.json"))]), name).await;
        assert!(page.text.contains("The document at its"), "{name}: {}", page.text);
        if n % 8 == 7 {
            // One person has no more of a host read at once.
            world.site.clock.0.fetch_add(600_000, Ordering::SeqCst);
        }
    }
    assert_eq!(world.asked(), answers.len(), "no redirect was followed");
}

#[tokio::test]
async fn a_server_that_hangs_is_left() {
    let world = World::of(&["*"], Duration::from_millis(300)).await;
    let mut ann = world.site.ann().await;
    for (n, bytes) in
        ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"client_id\":"]
            .iter()
            .enumerate()
    {
        world.put(&format!("/slow-{n}"), Answer { bytes: (*bytes).to_owned(), hangs: true });
        refused(&mut ann, &asks(&[("client_id", &format!("https://agent.example.com/slow-{n}"))]), bytes).await;
    }
}

/// Addresses that are none of a document, or lead inside.
pub const INSIDE: [&str; 33] = [
    "http://agent.example.com/client.json",
    "https://agent.example.com",
    "https://agent.example.com/",
    "https://agent.example.com/client.json#x",
    "https://agent.example.com/client.json?x",
    "https://me@agent.example.com/client.json",
    "https://me:it@agent.example.com/client.json",
    "https://agent.example.com/x/../client.json",
    "https://agent.example.com/x/%2E%2E/client.json",
    "https://agent.example.com/./client.json",
    "https://agent.example.com:443/client.json",
    "https://agent.example.com:22/client.json",
    "https://agent.example.com./client.json",
    "https://AGENT.example.com/client.json",
    " https://agent.example.com/client.json",
    "https://agent.example.com/client.json ",
    "https://agent.example.com\\client.json",
    "https://127.0.0.1/client.json",
    "https://2130706433/client.json",
    "https://0x7f.1/client.json",
    "https://[::1]/client.json",
    "https://[::ffff:127.0.0.1]/client.json",
    "https://[64:ff9b::7f00:1]/client.json",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/client.json",
    "https://localhost/client.json",
    "https://x.localhost/client.json",
    "https://printer/client.json",
    "https://auth.example.com/client.json",
    "file:///etc/passwd",
    "gopher://agent.example.com/client.json",
    "javascript://agent.example.com/%0aalert(1)",
    "://",
];

#[tokio::test]
async fn a_client_id_that_leads_inside_or_is_no_address_is_refused() {
    let world = World::of(&["*", "tools.internal", "auth.example.com", "localhost:1"], Duration::from_secs(60)).await;
    let mut ann = world.site.ann().await;
    for id in INSIDE {
        refused(&mut ann, &asks(&[("client_id", id)]), id).await;
    }
    assert_eq!(world.asked(), 0);
    // What the operator has named is asked, and not here. That its server is there or not is all that somebody learns.
    let page = refused(&mut ann, &asks(&[("client_id", "https://localhost:1/client.json")]), "named").await;
    assert!(page.text.contains("can&#39;t be reached from here"), "{}", page.text);
}

#[tokio::test]
async fn a_document_that_changes_gives_nothing_to_others() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    world.put("/client.json", of("200 OK", "application/json", "Cache-Control: max-age=60\r\n", &document().to_string()));
    let page = ann.get(&authorize(&asks(&[]))).await;
    // Meanwhile the redirect URI is another one. While the document counts, that of the page does too; then nothing is sent there any more.
    let mut changed = document();
    changed["redirect_uris"] = json!(["https://agent.example.com/other"]);
    world.put("/client.json", of("200 OK", "application/json", "Cache-Control: max-age=60\r\n", &changed.to_string()));
    let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", "agent.example.com")]);
    let code = parameter(ann.post(DECISION, &form).await.location(), "code").unwrap();
    assert_eq!(
        world.site.token(&fetches(&code, &[("redirect_uri", "https://agent.example.com/other")])).await.oauth_error(),
        (400, "invalid_grant".to_owned())
    );
    world.site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", "agent.example.com"), ("nonce", "another-nonce-of-16+")]);
    let late = ann.post(DECISION, &form).await;
    assert_eq!((late.status, late.header("location")), (StatusCode::BAD_REQUEST, ""), "{}", late.text);
    assert_eq!(world.asked(), 2);
    // A code of it is for nobody else.
    world.put("/client.json", of("200 OK", "application/json", "", &document().to_string()));
    world.site.clock.0.fetch_add(600_000, Ordering::SeqCst);
    for thief in ["https://agent.example.com/other.json", "https://evil.example.com/client.json", "page", "who"] {
        let code = parameter(&ann.lets(&asks(&[])).await, "code").unwrap();
        let stolen = world.site.token(&fetches(&code, &[("client_id", thief)])).await;
        assert_eq!(stolen.oauth_error(), (400, "invalid_grant".to_owned()), "{thief}");
    }
    let code = parameter(&ann.lets(&asks(&[])).await, "code").unwrap();
    let with_secret = world.site.token(&fetches(&code, &[("client_secret", "s3cret")])).await;
    assert_eq!(with_secret.oauth_error(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn one_person_has_so_many_read_and_a_failure_is_not_tried_at_once_again() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    for _ in 0..5 {
        refused(&mut ann, &asks(&[("client_id", "https://agent.example.com/none")]), "none").await;
    }
    assert_eq!(world.asked(), 1);
    let unknown = |host: &str, n: usize| authorize(&asks(&[("client_id", &format!("https://{host}/none/{n}"))]));
    let mut last = StatusCode::OK;
    for n in 0..20 {
        last = ann.get(&unknown("agent.example.com", n)).await.status;
    }
    assert_eq!((world.asked(), last), (10, StatusCode::TOO_MANY_REQUESTS), "of one host");
    for n in 0..40 {
        last = ann.get(&unknown(&format!("a{}.agent.example.com", n / 8), n)).await.status;
    }
    // What was refused for the host counted too: 1 that failed, 20 of one host, 9 of others.
    assert_eq!((world.asked(), last), (10 + 9, StatusCode::TOO_MANY_REQUESTS), "of all");
}

/// Story: 120 documents of a host were read within ten minutes, whoever asked. Four people who had 30 read each kept all others from its applications.
#[tokio::test]
async fn what_some_have_read_of_a_host_keeps_nobody_else_from_it() {
    let world = World::new().await;
    for number in 0..13 {
        let mut somebody = world.site.somebody(&format!("somebody{number}"), &[]).await;
        let mut last = StatusCode::OK;
        for n in 0..11 {
            let id = format!("https://agent.example.com/none/{number}/{n}");
            last = somebody.get(&authorize(&asks(&[("client_id", &id)]))).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(world.asked(), 130);
    let page = world.site.ann().await.get(&authorize(&asks(&[]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
}
