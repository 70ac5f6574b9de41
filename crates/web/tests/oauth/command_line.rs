//! Falconer's own command, which nobody has to register: by a code through the browser, and by the code of a device.

use crate::site::applications::{DECISION, Fields, VERIFIER, authorize, fields, parameter};
use crate::site::{site, with};
use falconer_grants::{CommandLine, GrantSettings};
use falconer_login::pkce_challenge;
use http::StatusCode;

const REDIRECT: &str = "http://127.0.0.1:40123/signed-in";

fn asks(more: &[(&str, &str)]) -> Fields {
    let mut asked = fields(&[
        ("response_type", "code"),
        ("client_id", "falconer-command-line"),
        ("redirect_uri", REDIRECT),
        ("state", "mine"),
        ("code_challenge", &pkce_challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ]);
    asked.extend(fields(more));
    asked
}

#[tokio::test]
async fn it_asks_without_a_host_to_type_and_gets_what_a_person_grants() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&asks(&[("device_name", "Ann's <laptop>"), ("description", "For the *release*.")]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("Falconer's command line") || page.text.contains("Falconer&#39;s command line"), "{}", page.text);
    assert!(page.text.contains("comes with Falconer") && page.text.contains("Any program here can say"), "{}", page.text);
    assert!(!page.text.contains("typed_host") && !page.text.contains("registered by the administrator"), "{}", page.text);
    assert!(page.text.contains("For the <em>release</em>."), "{}", page.text);
    let form = page.form(DECISION);
    let name = form.iter().find(|(name, _)| name == "grant_name").map(|(_, value)| value.as_str());
    assert_eq!(name, Some("Ann's <laptop>"), "the machine's name is proposed");
    assert!(form.iter().any(|(name, _)| name == "everything"), "it named nothing, and so everything is on offer: {form:?}");

    let location = ann.post(DECISION, &with(form, &[("visible_ms", "2000")])).await.location().to_owned();
    assert!(location.starts_with(&format!("{REDIRECT}?code=")), "{location}");
    let code = parameter(&location, "code").unwrap();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "falconer-command-line"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let tokens = site.token(&fields(&exchange)).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    let tokens = tokens.json();
    assert!(tokens["refresh_token"].is_string() && tokens["scope"].as_str().unwrap().contains("notes:*"), "{tokens}");
    let credentials = site.credentials(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(credentials.status, StatusCode::OK, "{}", credentials.text);
    assert!(ann.get("/").await.text.contains("Ann&#39;s &#60;laptop&#62;"));
}

/// What is wrong is told behind the page, before anybody opens a browser.
#[tokio::test]
async fn what_is_wrong_is_told_before_a_browser_opens() {
    let site = site().await;
    let push = async |more: &[(&str, &str)]| site.application("/login/oauth/par", &asks(more), None).await;
    assert_eq!(push(&[]).await.status, StatusCode::CREATED);
    assert_eq!(push(&[("scope", "notes:r\u{e9}ad")]).await.oauth_error().1, "invalid_scope");
    let long = "x".repeat(61);
    assert_eq!(push(&[("device_name", &long)]).await.oauth_error().1, "invalid_request");
    assert_eq!(push(&[("device_name", "a\nb")]).await.oauth_error().1, "invalid_request");
    let refused = push(&[("description", &"x".repeat(2049))]).await;
    assert!(refused.text.contains("more than 2 KiB"), "{}", refused.text);
    // Others say neither.
    let mut others = ann_asks();
    others.extend(fields(&[("device_name", "Falconer's own")]));
    let page = site.ann().await.get(&authorize(&others)).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("Falconer's own"), "{}", page.text);
}

fn ann_asks() -> Fields {
    crate::site::applications::authorization_fields()
}

#[tokio::test]
async fn the_operator_says_how_it_may_ask() {
    let site = site().await;
    let device = || fields(&[("client_id", "falconer-command-line")]);
    let metadata = async || site.browser().get("/.well-known/oauth-authorization-server").await.json();
    let asks_device = async || site.application("/login/oauth/device_authorization", &device(), None).await;
    assert_eq!(metadata().await["falconer_command_line"], "browser-and-device");
    assert_eq!(asks_device().await.status, StatusCode::OK);

    let set = |command_line| site.web.grants.reconfigure(GrantSettings { command_line, ..GrantSettings::default() }).unwrap();
    set(CommandLine::Browser);
    assert_eq!(metadata().await["falconer_command_line"], "browser");
    assert_eq!(asks_device().await.oauth_error().1, "unauthorized_client");

    set(CommandLine::Off);
    assert!(metadata().await.get("falconer_command_line").is_none());
    assert_eq!(asks_device().await.oauth_error().1, "invalid_client");
    let page = site.ann().await.get(&authorize(&asks(&[]))).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text);
}

#[tokio::test]
async fn a_device_proposes_its_name_and_is_offered_everything() {
    let site = site().await;
    let asks = |client: &str, name: &str| fields(&[("client_id", client), ("scope", ""), ("device_name", name)]);
    let codes = async |client: &str, name: &str| site.application("/login/oauth/device_authorization", &asks(client, name), None).await;
    for wrong in ["x".repeat(61), "a\nb".to_owned(), "a\u{202e}b".to_owned()] {
        assert_eq!(codes("falconer-command-line", &wrong).await.oauth_error().1, "invalid_request", "{wrong:?}");
    }
    let own = codes("falconer-command-line", "Ann's <laptop>").await.json();
    let of_others = codes("tv", "Falconer's own").await.json();
    let mut ann = site.ann().await;
    let mut types = async |codes: &serde_json::Value| {
        let page = ann.get("/device").await;
        ann.post("/device", &with(page.form("/device"), &[("user_code", codes["user_code"].as_str().unwrap())])).await
    };
    // Others have a name by their registration, and say nothing of themselves.
    let page = types(&of_others).await;
    let form = page.form("/device/decision");
    assert!(form.contains(&("grant_name".to_owned(), String::new())), "{form:?}");
    assert!(page.text.contains("Whoever asks is not told") && !page.text.contains("calls itself so"), "{}", page.text);
    let page = types(&own).await;
    assert!(page.text.contains("comes with Falconer") && page.text.contains("that is before you"), "{}", page.text);
    let form = page.form("/device/decision");
    assert!(form.iter().any(|(name, _)| name == "everything"), "{}", page.text);
    assert!(form.contains(&("grant_name".to_owned(), "Ann's <laptop>".to_owned())), "the machine's name is proposed: {form:?}");
    // Story: the page had the name in the person's field, as if they or Falconer had written it.
    assert!(page.text.contains("Whoever asks calls itself so, which anybody can"), "{}", page.text);
    ann.post("/device/decision", &with(form, &[("visible_ms", "2000")])).await;
    assert!(ann.get("/me/grants").await.text.contains("Ann&#39;s &#60;laptop&#62;"));
}

/// Story: what is broad was ticked for Falconer's command as for an application of the administrator, and anybody can say that they are it.
#[tokio::test]
async fn nothing_broad_is_ticked_for_it() {
    let site = site().await;
    let mut admin = site.somebody("admin", &["auth:*", "notes:*"]).await;
    let ticks = |form: &[(String, String)]| form.iter().filter(|(name, _)| name == "tick").count();
    for scope in ["auth:*", "auth:create-role:*", "*"] {
        let page = admin.get(&authorize(&asks(&[("scope", &format!("{scope} notes:read:red"))]))).await;
        assert!(page.text.contains("comes with Falconer") && page.text.contains("Broad"), "{scope}: {}", page.text);
        let of_broad = usize::from(scope == "*");
        assert_eq!(ticks(&page.form(DECISION)), 1 + of_broad, "{scope}: what is not broad of it: {}", page.text);
    }
    let asked = fields(&[("client_id", "falconer-command-line"), ("scope", "auth:*")]);
    let codes = site.application("/login/oauth/device_authorization", &asked, None).await.json();
    let page = admin.get("/device").await;
    let page = admin.post("/device", &with(page.form("/device"), &[("user_code", codes["user_code"].as_str().unwrap())])).await;
    assert!(page.text.contains("auth:*"), "{}", page.text);
    assert_eq!(ticks(&page.form("/device/decision")), 0, "{}", page.text);
}
