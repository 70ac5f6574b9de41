//! The recorded OAuth 2 session of the reference, in process. Where Falconer answers otherwise, a rule in `oauth_differences.json` says so.
//!
//! What is compared is what a third party sees: where the browser goes and with which parameters, the status and error of an answer, and which pages may read it.
//! The form of the consent page is each server's own: what the recording sent with it is pressed on our page, Cancel or Grant with the lines that it names.

use crate::site::applications::{DECISION, Fields, authorize, fields, parameter};
use crate::site::{Browser, Page, site, with};
use http::{Method, StatusCode};
use serde_json::Value;

const CASES: &str = include_str!("../../../../vectors/http-oauth.json");
const DIFFERENCES: &str = include_str!("oauth_differences.json");

fn text<'v>(case: &'v Value, path: &str) -> &'v str {
    case.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn form(text: &str) -> Fields {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn value<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// A redirect with the names and values that a third party reads; secrets are `*`.
fn redirect(location: &str) -> String {
    let (to, mark, query) = match location.split_once('#') {
        Some((to, fragment)) => (to, "#", fragment),
        None => location.split_once('?').map_or((location, "?", ""), |(to, query)| (to, "?", query)),
    };
    let kept = form(query).into_iter().filter(|(name, _)| !["iss", "error_description", "expires_in"].contains(&name.as_str()));
    let shown = kept.map(|(name, value)| {
        let value = if ["code", "access_token"].contains(&name.as_str()) { "*" } else { &value };
        format!("{name}={value}")
    });
    format!("redirect {to}{mark}{}", shown.collect::<Vec<_>>().join("&"))
}

fn json_word(status: u64, body: &Value) -> String {
    match (body["error"].as_str(), body["access_token"].is_string(), body["credentials"].is_object()) {
        // The title of a page as JSON is no code.
        (Some(error), ..) if status != 413 && !error.contains(' ') => format!("{status} {error}"),
        (_, true, _) => format!("{status} token"),
        (_, _, true) => format!("{status} credentials"),
        _ => status.to_string(),
    }
}

fn with_cors(word: String, path: &str, allowed: &str) -> String {
    let is_read_by_others = ["/login/oauth/token", "/login/oauth/credentials"].contains(&path) && !word.starts_with("404");
    if is_read_by_others && !allowed.is_empty() { format!("{word}, read by {allowed}") } else { word }
}

fn path_of(case: &Value) -> &str {
    text(case, "/input/path").split('?').next().unwrap()
}

/// What the reference answered.
fn recorded(case: &Value) -> String {
    let location = text(case, "/expected/headers/location");
    let status = case["expected"]["status"].as_u64().unwrap();
    let word = match location {
        "" => json_word(status, &case["expected"]["body"]),
        _ if location.starts_with("/third-party") => "sign in".to_owned(),
        _ if location.contains("/third-party?transactionID=") => "consent".to_owned(),
        _ => redirect(location),
    };
    with_cors(word, path_of(case), text(case, "/expected/headers/access-control-allow-origin"))
}

/// What Falconer answers.
fn answered(path: &str, page: &Page) -> String {
    let word = if page.status.is_redirection() {
        let location = page.location();
        if location.starts_with("/login?") { "sign in".to_owned() } else { redirect(location) }
    } else if page.status == StatusCode::OK && page.text.contains(DECISION) {
        "consent".to_owned()
    } else {
        json_word(u64::from(page.status.as_u16()), &serde_json::from_str(&page.text).unwrap_or_default())
    };
    with_cors(word, path, page.header("access-control-allow-origin"))
}

/// The rules: which cases one covers, computed from the case alone.
fn covers(rule: &str, case: &Value) -> bool {
    let input = form(text(case, "/input/path").split_once('?').map_or("", |(_, query)| query));
    let body = form(text(case, "/input/body"));
    let (path, status, name) = (path_of(case), &case["expected"]["status"], text(case, "/name"));
    let is_authorize = path == "/login/oauth/authorize";
    let is_decision = path == DECISION && value(&body, "transaction_id").starts_with('<');
    let location = text(case, "/expected/headers/location");
    let is_known = input.iter().filter(|(name, _)| name == "client_id").count() == 1;
    let code = text(case, "/expected/body/code");
    let answer = is_authorize
        && is_known
        && (code == "unsupported_response_type" || (code == "invalid_request" && value(&input, "response_type").is_empty()));
    let decided = value(&body, "scope");
    let cut = ["credentials for a foreign clientId fail", "credentials already expired fail"].iter().any(|end| name.ends_with(end));
    match rule {
        "nothing-is-asked-for" => location == "/third-party",
        "no-test-identity" => path == "/login/test",
        "told-at-the-redirect" => answer,
        "scheme-in-small-letters" => text(case, "/input/headers/authorization").starts_with("bearer "),
        "no-client-is-made" => cut,
        "no-500-for-bad-input" => *status == 500 && !answer && !cut && !text(case, "/input/headers/authorization").starts_with("bearer "),
        "token-errors-are-400" => *status == 403 || *status == 501,
        "bad-expires" => value(&input, "expires") == "soon",
        "other-response-type" => value(&input, "client_id") == "code" && value(&input, "response_type") == "token",
        "fewer-scopes" => is_decision && location.contains("error=invalid_scope") && decided == "tags:get:*",
        "not-whitelisted" => is_authorize && (location.contains("?code=") || location.contains("#access_token=")),
        "scope-not-offered" => is_decision && decided.split(' ').any(|scope| ["other", "tags:get:abc"].contains(&scope)),
        "nothing-ticked" => is_decision && decided.is_empty(),
        "bad-lifetime" => is_decision && value(&body, "expires") == "zzz",
        "other-methods" => *status == 404 && path.starts_with("/login/oauth/"),
        "client-id-is-checked" => path == "/login/oauth/token" && value(&body, "client_id") == "somebody-else",
        "sign-out-is-a-form" => path == "/login/logout",
        other => panic!("no rule {other}"),
    }
}

/// What a recorded application asks for when nothing else is said.
fn usual(client: &str, state: &str) -> Fields {
    let (response, redirect_uri, scope) = match client {
        "greedy" => ("code", "http://localhost:4000/x?y=1", "secrets:*"),
        "tok" => ("token", "https://app.example/cb", "tags:get:*"),
        _ => ("code", "https://app.example/cb", "tags:get:* tags:set:mine"),
    };
    fields(&[("response_type", response), ("client_id", client), ("redirect_uri", redirect_uri), ("scope", scope), ("state", state)])
}

/// Presses on the page of this request what the recording sent.
async fn decide(browser: &mut Browser<'_>, authorization_fields: &Fields, sent: &Fields) -> Page {
    let page = browser.get(&authorize(authorization_fields)).await;
    if page.status != StatusCode::OK {
        return page;
    }
    let mut pressed = page.form(DECISION);
    let mut keys = pressed.iter().filter(|(name, _)| name == "tick").map(|(_, key)| key.clone()).collect::<Vec<_>>().into_iter();
    pressed.retain(|(name, _)| name != "tick");
    let decided: Vec<&str> = value(sent, "scope").split(' ').filter(|scope| !scope.is_empty()).collect();
    for scope in value(authorization_fields, "scope").split(' ') {
        let key = keys.next();
        if decided.contains(&scope) {
            pressed.extend(key.map(|key| ("tick".to_owned(), key)));
        }
    }
    let offered: Vec<&str> = value(authorization_fields, "scope").split(' ').collect();
    pressed.extend(decided.iter().filter(|scope| !offered.contains(scope)).map(|scope| ("tick".to_owned(), (*scope).to_owned())));
    let lifetime = if value(sent, "expires") == "zzz" { vec![("lifetime", "zzz")] } else { vec![] };
    let cancel = if value(sent, "cancel").is_empty() { vec![] } else { vec![("cancel", "yes")] };
    let pressed = with(with(with(pressed, &[("visible_ms", "2000")]), &lifetime), &cancel);
    browser.post(DECISION, &pressed).await
}

#[tokio::test]
async fn the_recorded_session_is_answered_as_ever() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let rules: Vec<Value> = serde_json::from_str(DIFFERENCES).unwrap();
    let mut covered = vec![0; rules.len()];
    let site = site().await;
    let (mut person, mut stranger) = (site.somebody("test", &["tags:*"]).await, site.browser());
    let (mut last_asked, mut last_code, mut last_token) = (Fields::new(), String::new(), String::new());
    let (mut equal, mut failed) = (0, Vec::new());
    for case in &cases {
        let (name, path) = (text(case, "/name"), path_of(case));
        let method: Method = text(case, "/input/method").parse().unwrap();
        let mut body = text(case, "/input/body").to_owned();
        let sent = form(&body);
        let page = if path == DECISION && value(&sent, "transaction_id").starts_with('<') && !name.ends_with("is used up") {
            let named = value(&sent, "clientId").strip_prefix("test/test/").and_then(|rest| rest.split('-').next());
            let location = text(case, "/expected/headers/location");
            let usual = usual(named.unwrap_or("code"), &parameter(location, "state").unwrap_or_default());
            let sent_now = if value(&last_asked, "client_id") == value(&usual, "client_id") { last_asked.clone() } else { usual };
            decide(&mut person, &sent_now, &sent).await
        } else {
            if path == "/login/oauth/token" {
                let client = if value(&sent, "client_id") == "greedy" { "greedy" } else { "code" };
                if !name.contains("was consumed") && (body.contains("<22-char") || body.contains("<code>")) {
                    last_code = person.code(&usual(client, "s")).await;
                }
                body = body.replace("<22-char code>", &last_code).replace("<code>", &last_code);
            }
            if body.starts_with('<') {
                body = "x".repeat(200_002);
            }
            let mut headers: Vec<(String, String)> = Vec::new();
            for (name, value) in case["input"]["headers"].as_object().unwrap() {
                headers.push((name.clone(), value.as_str().unwrap().replace("<access_token>", &last_token)));
            }
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let browser = if case["input"]["signedIn"] == true { &mut person } else { &mut stranger };
            let is_form = method == Method::POST && !headers.iter().any(|(name, _)| *name == "content-type");
            let at = text(case, "/input/path");
            if is_form { browser.send(method, at, &headers, Some(body)).await } else { browser.send_body(method, at, &headers, body).await }
        };
        if path == "/login/oauth/authorize" {
            last_asked = form(text(case, "/input/path").split_once('?').map_or("", |(_, query)| query));
        } else if path == DECISION {
            last_asked.clear();
        }
        if path == "/login/logout" && case["input"]["signedIn"] == true {
            person.cookies.clear();
        }
        if let Ok(Value::String(token)) = serde_json::from_str::<Value>(&page.text).map(|json| json["access_token"].clone()) {
            last_token = token;
        } else if let Some(token) = parameter(page.header("location"), "access_token") {
            last_token = token;
        }
        let (expected, got) = (recorded(case), answered(path, &page));
        let applied: Vec<usize> = (0..rules.len()).filter(|at| covers(text(&rules[*at], "/id"), case)).collect();
        applied.iter().for_each(|at| covered[*at] += 1);
        let wanted = match applied.as_slice() {
            [] => expected.clone(),
            [at] => text(&rules[*at], "/falconer")
                .replace("{code}", text(case, "/expected/body/code"))
                .replace("{error}", text(case, "/expected/body/error"))
                .replace("{state}", value(&form(text(case, "/input/path")), "state")),
            more => panic!("{name}: rules {more:?}"),
        };
        if got == wanted || (wanted == "4xx" && got.starts_with('4')) {
            equal += usize::from(applied.is_empty());
        } else {
            failed.push(format!("{name}: wanted {wanted}, got {got}"));
        }
    }
    println!("http-oauth: {} cases, {equal} equal, {} by rule, {} failed", cases.len(), covered.iter().sum::<usize>(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(cases.len(), 87);
    for (rule, times) in rules.iter().zip(covered) {
        assert!(!text(rule, "/reason").is_empty());
        assert_eq!(rule["covers"], times, "{}", text(rule, "/id"));
    }
}
