//! Every method that the published Rust client knows, and the answers against the schemas that Falconer publishes.
//!
//! The client signs authenticated requests without their query string (see `auth.rs`). Such calls of the script must be refused as
//! badly signed; the same queries without credentials are answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use taskcluster::{Auth, ClientBuilder, Credentials};

use crate::published::Published;
use crate::server::Server;

/// Calls a method by its name. `None`: the client knows no such method. The client throws away the bodies of those that answer null here.
#[rustfmt::skip] // One line a method reads as the table that it is.
async fn call(auth: &Auth, method: &str, args: &[String], payload: &Value, query: &Value) -> Option<Result<Value>> {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    let query = |name: &str| query[name].as_str();
    Some(match method {
        "ping" => auth.ping().await.map(|()| Value::Null),
        "lbheartbeat" => auth.lbheartbeat().await.map(|()| Value::Null),
        "version" => auth.version().await.map(|()| Value::Null),
        "heartbeat" => auth.heartbeat().await.map(|()| Value::Null),
        "listClients" => auth.listClients(query("prefix"), query("continuationToken"), query("limit")).await,
        "client" => auth.client(arg(0)).await,
        "createClient" => auth.createClient(arg(0), payload).await,
        "getEntityHistory" => auth.getEntityHistory(arg(0), arg(1), query("continuationToken"), query("limit")).await,
        "listAuditHistory" => auth.listAuditHistory(arg(0), query("continuationToken"), query("limit")).await,
        "resetAccessToken" => auth.resetAccessToken(arg(0)).await,
        "updateClient" => auth.updateClient(arg(0), payload).await,
        "enableClient" => auth.enableClient(arg(0)).await,
        "disableClient" => auth.disableClient(arg(0)).await,
        "deleteClient" => auth.deleteClient(arg(0)).await.map(|()| Value::Null),
        "listRoles" => auth.listRoles().await,
        "listRoles2" => auth.listRoles2(query("continuationToken"), query("limit")).await,
        "listRoleIds" => auth.listRoleIds(query("continuationToken"), query("limit")).await,
        "role" => auth.role(arg(0)).await,
        "createRole" => auth.createRole(arg(0), payload).await,
        "updateRole" => auth.updateRole(arg(0), payload).await,
        "deleteRole" => auth.deleteRole(arg(0)).await.map(|()| Value::Null),
        "expandScopes" => auth.expandScopes(payload).await,
        "currentScopes" => auth.currentScopes().await,
        "awsS3Credentials" => auth.awsS3Credentials(arg(0), arg(1), arg(2), query("format")).await,
        "sentryDSN" => auth.sentryDSN(arg(0)).await,
        "websocktunnelToken" => auth.websocktunnelToken(arg(0), arg(1)).await,
        "gcpCredentials" => auth.gcpCredentials(arg(0), arg(1)).await,
        "githubRepoToken" => auth.githubRepoToken(arg(0), arg(1), payload).await,
        "authenticateHawk" => auth.authenticateHawk(payload).await,
        "testAuthenticate" => auth.testAuthenticate(payload).await,
        "testAuthenticateGet" => auth.testAuthenticateGet().await,
        _ => return None,
    })
}

/// What this version of the client (114) has no function for.
const LACKS: &[&str] = &["azureAccounts", "azureContainerSAS", "azureContainers", "azureTableSAS", "azureTables"];

/// `value` with `{{name}}` replaced.
fn fill(value: &Value, known: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(name) => known.get(name).cloned().unwrap_or_else(|| value.clone()),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(members) => members.iter().map(|(key, item)| (key.clone(), fill(item, known))).collect(),
        other => other.clone(),
    }
}

/// Whether `actual` is `wanted`, where objects may hold more.
fn holds(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => wanted.iter().all(|(key, item)| actual.get(key).is_some_and(|a| holds(a, item))),
        (Value::Array(actual), Value::Array(wanted)) => actual.len() == wanted.len() && actual.iter().zip(wanted).all(|(a, w)| holds(a, w)),
        _ => actual == wanted,
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn expect_refusal(answer: Result<Value>, status: &Value, code: &str, text: &str, step: &Value) -> Result<()> {
    let Err(error) = answer else { bail!("answered, and should have been refused: {step}") };
    let error_text = format!("{error:#}");
    ensure!(taskcluster::err_status_code(&error).map(|s| json!(s.as_u16())).as_ref() == Some(status), "{step}\n{error_text}");
    ensure!(error_text.contains(&format!("errorCode:  {code}")) && error_text.contains(text), "{step}\n{error_text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method() -> Result<()> {
    let script: Value = serde_json::from_str(include_str!("../../../calls.json"))?;
    let settings: Vec<(&str, &str)> = script["settings"]
        .as_object()
        .context("settings")?
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let server = Server::start(&["--bare"], &settings)?;
    let mut published = Published::fetch(&server.root_url).await?;
    let steps = script["calls"].as_array().context("calls")?;
    let methods: BTreeSet<String> = published.entries.keys().cloned().collect();
    let called: BTreeSet<String> = steps.iter().filter_map(|step| step["method"].as_str()).map(str::to_owned).collect();
    assert_eq!(methods, called, "calls.json and the published reference name the same methods");

    let root = server.auth(server.credentials.clone())?;
    let anonymous = Auth::new(ClientBuilder::new(&server.root_url))?;
    let tester = server.auth(Credentials::new("tester", "no-secret"))?;
    let signed = reqwest::Url::parse(&root.currentScopes_signed_url(Duration::from_secs(600))?)?;
    let hour: taskcluster::chrono::DateTime<taskcluster::chrono::Utc> = (SystemTime::now() + Duration::from_secs(3600)).into();
    let mut known = BTreeMap::from([
        ("inAnHour".to_owned(), json!(hour.to_rfc3339())),
        ("signedResource".to_owned(), json!(format!("{}?{}", signed.path(), signed.query().unwrap_or_default()))),
        ("host".to_owned(), json!(signed.host_str())),
        ("port".to_owned(), json!(signed.port())),
    ]);

    let (mut driven, mut answered, mut lacks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut calls, mut checked, mut unsigned) = (0, 0, 0);
    for step in steps {
        let method = step["method"].as_str().context("method")?;
        let payload = fill(&step["payload"], &known);
        let query = fill(&step["query"], &known);
        let auth = match step["as"].as_str().unwrap_or("root") {
            "anonymous" => &anonymous,
            "tester" => &tester,
            _ => &root,
        };
        let Some(answer) = call(auth, method, &texts(&step["args"]), &payload, &query).await else {
            lacks.insert(method);
            continue;
        };
        calls += 1;
        driven.insert(method);
        if !payload.is_null() {
            published.check(method, "input", &payload)?;
        }
        if query.is_object() && std::ptr::eq(auth, &root) {
            unsigned += 1;
            expect_refusal(answer, &json!(401), "AuthenticationFailed", "Bad mac", step)?;
            continue;
        }
        if let Some(refused) = step.get("refused") {
            expect_refusal(
                answer,
                &refused["status"],
                refused["code"].as_str().unwrap_or_default(),
                refused["text"].as_str().unwrap_or_default(),
                step,
            )?;
            continue;
        }
        let answer = answer.with_context(|| step.to_string())?;
        answered.insert(method);
        if answer.is_null() {
            continue;
        }
        if let Some(wanted) = step.get("answer") {
            ensure!(holds(&answer, &fill(wanted, &known)), "{step}\n{answer:#}");
        }
        checked += i32::from(published.check(method, "output", &answer)?);
        for (name, key) in step["save"].as_object().into_iter().flatten() {
            known.insert(name.clone(), answer[key.as_str().unwrap_or_default()].clone());
        }
    }

    assert_eq!(lacks, LACKS.iter().copied().collect());
    let only_refused: BTreeSet<&str> = script["onlyRefused"].as_object().context("onlyRefused")?.keys().map(String::as_str).collect();
    assert_eq!(driven.difference(&answered).copied().collect::<BTreeSet<_>>(), only_refused.difference(&lacks).copied().collect());

    // This one is younger than the protocol that Falconer speaks: there is no such route, and the client is told so.
    let unknown = root.listGithubApps().await.err().context("there is no listGithubApps")?;
    assert_eq!(taskcluster::err_status_code(&unknown).map(|status| status.as_u16()), Some(404));

    println!(
        "Rust taskcluster: {} of {} methods driven with {calls} calls ({unsigned} refused for their unsigned queries), {checked} answers fit {} published \
         schemas; the client lacks {}",
        driven.len(),
        methods.len(),
        published.used.len(),
        lacks.into_iter().collect::<Vec<_>>().join(", ")
    );
    Ok(())
}
