//! What such an application gets, and what nobody is asked for it.

use super::*;

#[tokio::test]
async fn an_agent_that_nobody_registered_gets_what_the_person_gives() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let page = ann.get(&authorize(&asks(&[]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for text in [
        "agent.<wbr><b>example.com</b>",
        "Nobody has registered this application",
        "It calls itself <q>The &#60;helpful&#62; agent</q>",
        ID,
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(page.text.contains("typed_host") && !page.text.contains("registered by the administrator"), "{}", page.text);
    assert!(!page.text.contains("The answer goes to a program on this computer"), "{}", page.text);
    // Its name is not enough, nor is another host.
    for typed in ["The <helpful> agent", "app.example", ""] {
        let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", typed)]);
        assert_eq!(ann.post(DECISION, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
    }
    let location = ann.lets(&asks(&[])).await;
    assert!(location.starts_with(&format!("{BACK}?code=")), "{location}");
    assert_eq!(parameter(&location, "iss").as_deref(), Some(world.site.origin.as_str()));
    let code = parameter(&location, "code").unwrap();
    let tokens = world.site.token(&fetches(&code, &[])).await.json();
    assert_eq!(tokens["scope"], "notes:read:* notes:write:mine", "{tokens}");
    let credentials = world.site.credentials(tokens["access_token"].as_str().unwrap()).await.json();
    assert!(credentials["credentials"]["clientId"].as_str().unwrap().starts_with("local/ann/agent.example.com/"), "{credentials}");
    let refresh =
        fields(&[("grant_type", "refresh_token"), ("client_id", ID), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]);
    let others = world.site.token(&refresh).await.json();
    let token = others["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.site.credentials(&token).await.status, StatusCode::OK);
    // It is read once.
    assert_eq!(world.asked(), 1);
    // In the list it is its document: another one of this host is another application.
    assert!(ann.get("/me/grants").await.text.contains(&format!("{ID} <span class=\"host\">https://agent.example.com</span>")));
    // Once the operator wants no more of them, what they were given is worth nothing.
    world.configure(&["other.example.com"], None);
    assert_eq!(world.site.credentials(&token).await.oauth_error(), (401, "invalid_token".to_owned()));
}

#[tokio::test]
async fn a_program_on_this_computer_is_not_vouched_for() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let at = [("redirect_uri", "http://127.0.0.1:43211/back")];
    let page = ann.get(&authorize(&asks(&at))).await;
    assert!(
        page.text.contains("The answer goes to a program on this computer.") && page.text.contains("agent.<wbr><b>example.com</b>"),
        "{}",
        page.text
    );
    let location = ann.lets(&asks(&at)).await;
    assert!(location.starts_with("http://127.0.0.1:43211/back?code="), "{location}");
    let tokens = world.site.token(&fetches(&parameter(&location, "code").unwrap(), &at)).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    // The host was typed, so that it is known, at whatever port.
    let next = ann.get(&authorize(&asks(&[("redirect_uri", "http://127.0.0.1:5/back")]))).await;
    assert!(next.status == StatusCode::OK && !next.text.contains("typed_host"), "{}", next.text);
}

#[tokio::test]
async fn without_scopes_it_asks_for_what_the_document_says_or_for_what_the_person_has() {
    let world = World::new().await;
    let mut ann = world.site.ann().await;
    let page = ann.get(&authorize(&asks(&[("scope", "")]))).await;
    assert!(page.text.contains("Everything that you may do, except what is broad"), "{}", page.text);
    // Who the person is, and nothing more: nothing else is on offer.
    let page = ann.get(&authorize(&asks(&[("scope", "openid")]))).await;
    assert!(!page.text.contains("Everything that you may do") && page.text.contains("It gets to know"), "{}", page.text);
    assert!(page.text.contains("https://agent.example.com"), "{}", page.text);
    let narrow = "https://agent.example.com/narrow.json";
    let mut document = document();
    document["client_id"] = json!(narrow);
    document["scope"] = json!("notes:read:red");
    world.put("/narrow.json", of("200 OK", "application/json", "", &document.to_string()));
    let page = ann.get(&authorize(&asks(&[("client_id", narrow), ("scope", "")]))).await;
    assert!(page.text.contains("notes:read:red") && !page.text.contains("Everything that you may do"), "{}", page.text);
}

#[tokio::test]
async fn nobody_has_a_document_read_who_is_not_signed_in() {
    let world = World::new().await;
    let mut stranger = world.site.browser();
    let page = stranger.get(&authorize(&asks(&[]))).await;
    assert!(page.location().starts_with("/login?next=%2Flogin%2Foauth%2Fauthorize%3F"), "{}", page.location());
    assert_eq!(stranger.get(page.location()).await.status, StatusCode::OK);
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asks(&[])).finish();
    let posted = stranger.send(Method::POST, "/login/oauth/authorize", &[], Some(form)).await;
    assert!(posted.location().starts_with("/login/oauth/authorize?"), "{}", posted.location());
    let proof = fields(&[
        ("grant_type", "authorization_code"),
        ("client_id", ID),
        ("code", "x"),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ]);
    assert_eq!(world.site.token(&proof).await.oauth_error(), (400, "invalid_grant".to_owned()));
    let device = world.site.application("/login/oauth/device_authorization", &fields(&[("client_id", ID)]), None).await;
    assert_eq!(device.oauth_error(), (400, "unauthorized_client".to_owned()));
    let revoke = world.site.application("/login/oauth/revoke", &fields(&[("client_id", ID), ("token", "x")]), None).await;
    assert_eq!(revoke.status, StatusCode::OK);
    assert_eq!(world.asked(), 0);
    // After signing in it goes on with the same request.
    let next = stranger.sign_in(page.location()).await.leads_on_to();
    assert_eq!(next, authorize(&asks(&[])));
    assert_eq!(stranger.get(&next).await.status, StatusCode::OK);
    assert_eq!(world.asked(), 1);
}

async fn metadata(site: &Site) -> Value {
    site.send(Request::get("/.well-known/oauth-authorization-server").body(Body::empty()).unwrap()).await.json()
}

/// The origin that may read the answer of the token endpoint.
async fn may_read(site: &Site, origin: &str) -> String {
    let preflight = Request::options("/login/oauth/token").header("origin", origin).body(Body::empty()).unwrap();
    site.send(preflight).await.header("access-control-allow-origin").to_owned()
}

#[tokio::test]
async fn it_is_off_until_somebody_turns_it_on() {
    let site = site().await;
    assert_eq!(metadata(&site).await["client_id_metadata_document_supported"], false);
    let mut ann = site.ann().await;
    refused(&mut ann, &asks(&[]), "off").await;
    assert_eq!(site.token(&fetches("x", &[])).await.oauth_error(), (401, "invalid_client".to_owned()));
    assert_eq!(may_read(&site, "https://agent.example.com").await, "");
    let world = World::of(&["agent.example.com"], Duration::from_secs(60)).await;
    assert_eq!(metadata(&world.site).await["client_id_metadata_document_supported"], true);
    assert_eq!(may_read(&world.site, "https://agent.example.com").await, "https://agent.example.com");
    assert_eq!(may_read(&world.site, "https://evil.example.com").await, "");
    let mut ann = world.site.ann().await;
    refused(&mut ann, &asks(&[("client_id", "https://other.example.com/client.json")]), "another host").await;
}

#[tokio::test]
async fn one_that_says_where_is_told_that_somebody_has_signed_out() {
    let world = World::new().await;
    let said = |name: &str, uri: &str| {
        let mut said = document();
        said["client_id"] = json!(format!("https://agent.example.com/{name}"));
        said["backchannel_logout_uri"] = json!(uri);
        world.put(&format!("/{name}"), of("200 OK", "application/json", "", &said.to_string()));
    };
    let openid = |name: &str| asks(&[("client_id", &format!("https://agent.example.com/{name}")), ("scope", "openid notes:read:*")]);
    let mut ann = world.site.ann().await;
    let elsewhere = ["https://elsewhere.example.com/out", "https://agent.example.com:444/out", "http://127.0.0.1/out", "/out"];
    for (number, uri) in elsewhere.into_iter().enumerate() {
        let name = format!("elsewhere-{number}.json");
        said(&name, uri);
        refused(&mut ann, &openid(&name), uri).await;
    }
    said("told.json", "https://agent.example.com/out");
    world.put("/out", of("200 OK", "text/plain", "", ""));
    let location = ann.lets(&openid("told.json")).await;
    let code = parameter(&location, "code").unwrap_or_else(|| panic!("{location}"));
    let answer = world.site.token(&fetches(&code, &[("client_id", "https://agent.example.com/told.json")])).await.json();
    let claims = crate::openid::decode(answer["id_token"].as_str().unwrap().split('.').nth(1).unwrap());
    assert!(claims["sid"].is_string(), "{claims}");
    let form = ann.get("/").await.form("/logout");
    ann.post("/logout", &form).await;
    let asked = world.asked();
    assert_eq!(world.site.web.grants.send_logouts(&world.site.origin).await.unwrap(), 1);
    assert_eq!((world.asked(), world.site.web.grants.logout_figures().delivered), (asked + 1, 1));
}
