//! `vectors/grants.json`: what grants, clients made with them, and clients of people are worth, case by case.
//!
//! A case is a fresh node on which steps happen in order. `op` says what; `as` names the credentials that come out of a step, `with`, `by`
//! and `issuer` use them (`root` is always there); `<g>` stands for the id of the grant named `g`, `<name:g>` for its clientId, `<issuer>`
//! for the internal issuer. A step with `expected.code` has to be refused with that code, and message where there is one.

use std::collections::BTreeMap;

use crate::common::{Keys, World, message_of, person, sent_text};
use falconer_auth::{AccessToken, ApiError, ClientInput, DAY_MS, DisclosedIdentity, NewGrant, PageQuery, RequestParts, RoleInput, Verdict};
use falconer_credentials::{sign, temporary};
use falconer_scopes::ScopeSet;
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/grants.json");
const SEED: &str = "0123456789012345678901234567890123456789abcd";

struct Run {
    world: World,
    keys: BTreeMap<String, Keys>,
    grants: BTreeMap<String, falconer_store::GrantRecord>,
    issuer: String,
}

#[tokio::test]
async fn every_case_of_the_file() {
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let mut failures = Vec::new();
    let mut verdicts = 0;
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let world = World::bare().await;
        let keys = BTreeMap::from([("root".to_owned(), world.root.clone())]);
        let issuer = world.store.load().await.unwrap().issuers[0].name.clone();
        let mut run = Run { world, keys, grants: BTreeMap::new(), issuer };
        for (index, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            verdicts += usize::from(step.get("expected").is_some());
            if let Err(text) = run.step(step).await {
                failures.push(format!("{name}, step {}: {text}\n   {step}", index + 1));
                break;
            }
        }
    }
    println!("cases: {}, verdicts: {verdicts}, failed: {}", cases.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases.len() >= 100 && verdicts >= 150, "the file has become smaller");
}

impl Run {
    fn fill(&self, text: &str) -> String {
        let mut text = text.replace("<issuer>", &self.issuer);
        for (name, grant) in &self.grants {
            text = text.replace(&format!("<{name}>"), &grant.id).replace(&format!("<name:{name}>"), &grant.client_id);
        }
        text
    }

    fn text(&self, step: &Value, key: &str) -> Option<String> {
        step.get(key).and_then(Value::as_str).map(|text| self.fill(text))
    }

    fn list(&self, step: &Value, key: &str) -> Option<Vec<String>> {
        let items = step.get(key)?.as_array()?;
        Some(items.iter().map(|item| self.fill(item.as_str().unwrap())).collect())
    }

    fn keys(&self, step: &Value, key: &str) -> Keys {
        let name = step.get(key).and_then(Value::as_str).unwrap_or("root");
        self.keys.get(name).unwrap_or_else(|| panic!("no credentials named {name}")).clone()
    }

    async fn step(&mut self, step: &Value) -> Result<(), String> {
        match step["op"].as_str().unwrap() {
            "verify" => return self.verify(step).await,
            "expand" => {
                return same(&json!(self.world.auth.expand(&refs(&self.list(step, "scopes").unwrap())).to_vec()), &step["expected"]);
            }
            "listClients" => {
                let (root, prefix) = (self.world.as_root().await, self.text(step, "prefix").unwrap());
                let page = self.world.auth.list_clients(&root, &prefix, PageQuery::from_offset(0, 1000)).unwrap();
                let ids: Vec<_> = page.items.into_iter().map(|client| client.client_id).collect();
                return same(&json!(ids), &step["expected"]);
            }
            "advance" => self.world.clock.advance(step["ms"].as_i64().unwrap()),
            "rotateIssuer" => self.world.auth.rotate_issuer().await.unwrap(),
            "temporary" => self.temporary(step),
            _ => return outcome(self.write(step).await, step, |text| self.fill(text)),
        }
        Ok(())
    }

    async fn write(&mut self, step: &Value) -> Result<(), ApiError> {
        let scopes = self.list(step, "scopes");
        let id = self.text(step, "clientId").unwrap_or_default();
        let input = ClientInput {
            expires_us: (crate::common::START_MS + 365 * DAY_MS) * 1000,
            description: String::new(),
            scopes: scopes.clone(),
            delete_on_expiration: false,
        };
        match step["op"].as_str().unwrap() {
            "role" => {
                let role_id = self.text(step, "roleId").unwrap();
                let who = self.world.call(&self.keys(step, "by")).await;
                let role = RoleInput { scopes: scopes.unwrap(), description: String::new() };
                if self.world.auth.directory().role(&role_id).is_some() {
                    self.world.auth.update_role(&who, &role_id, &role).await?;
                } else {
                    self.world.auth.create_role(&who, &role_id, &role).await?;
                }
            }
            "deleteRole" => {
                let root = self.world.as_root().await;
                self.world.auth.delete_role(&root, &self.text(step, "roleId").unwrap()).await?;
            }
            "person" => {
                let identity = self.text(step, "identity").unwrap();
                let mut record = person(&identity, &refs(&scopes.unwrap()), self.world.now());
                record.disabled = step["disabled"].as_bool().unwrap_or(false);
                self.world.auth.put_identity("test", &record).await?;
            }
            "grant" => self.grant(step, scopes.unwrap()).await?,
            "revoke" => {
                let grant = &self.grants[step["grant"].as_str().unwrap()];
                let owner = self.text(step, "owner").unwrap_or_else(|| grant.identity.clone());
                self.world.auth.revoke_grants(&[&owner], &owner, std::slice::from_ref(&grant.id), "test").await?;
            }
            "getClient" => {
                let root = self.world.as_root().await;
                self.world.auth.client(&root, &id)?;
            }
            "createClient" | "resetAccessToken" => {
                let who = self.world.call(&self.keys(step, "by")).await;
                let (view, _) = if step["op"] == "createClient" {
                    self.world.auth.create_client(&who, &id, &input).await?
                } else {
                    self.world.auth.reset_access_token(&who, &id).await?
                };
                let keys = Keys::new(&id, view.access_token.unwrap().expose());
                self.remember(step, keys);
            }
            "updateClient" => {
                let who = self.world.call(&self.keys(step, "by")).await;
                self.world.auth.update_client(&who, &id, &input).await?;
            }
            "enableClient" => {
                let who = self.world.call(&self.keys(step, "by")).await;
                self.world.auth.enable_client(&who, &id).await?;
            }
            "disableClient" => {
                let who = self.world.call(&self.keys(step, "by")).await;
                self.world.auth.disable_client(&who, &id).await?;
            }
            other => panic!("unknown op {other}"),
        }
        Ok(())
    }

    fn remember(&mut self, step: &Value, keys: Keys) {
        if let Some(known) = step.get("sameAs").and_then(Value::as_str) {
            assert_eq!(self.keys[known].token.expose(), keys.token.expose(), "not the same token as {known}");
            assert_eq!(self.keys[known].certificate, keys.certificate, "not the same certificate as {known}");
        }
        self.keys.insert(step["as"].as_str().unwrap().to_owned(), keys);
    }

    async fn grant(&mut self, step: &Value, scopes: Vec<String>) -> Result<(), ApiError> {
        let name = step["as"].as_str().unwrap();
        let new = NewGrant {
            identity: self.text(step, "identity").unwrap(),
            signed_in_by: self.text(step, "identity").unwrap(),
            host: "notes.example.com".to_owned(),
            target: "https://notes.example.com/back".to_owned(),
            target_origin: "https://notes.example.com".to_owned(),
            scopes: ScopeSet::new(scopes),
            everything: false,
            identity_for: self.list(step, "identityFor").unwrap_or_default(),
            expires_ms: self.world.now() + step["expiresInMs"].as_i64().unwrap_or(DAY_MS),
            nonce: self.text(step, "nonce").unwrap_or_else(|| format!("nonce of {name}")),
            choices: self.text(step, "choices").unwrap_or_default(),
            name: None,
            label: String::new(),
            application: None,
            purpose: None,
            widens: None,
        };
        let issued = self.world.auth.add_grant(new).await?;
        self.grants.insert(name.to_owned(), issued.grant);
        let credentials = issued.credentials;
        let keys = Keys { id: credentials.client_id, token: credentials.access_token, certificate: Some(credentials.certificate) };
        self.remember(step, keys);
        Ok(())
    }

    fn temporary(&mut self, step: &Value) {
        let issuer = self.keys(step, "issuer");
        let keys = self.issue(&issuer.id, &issuer.token, self.text(step, "name").as_deref(), &self.list(step, "scopes").unwrap());
        self.remember(step, keys);
    }

    fn issue(&self, issuer: &str, token: &AccessToken, name: Option<&str>, scopes: &[String]) -> Keys {
        let now_ms = self.world.now();
        let issued = temporary::create(issuer, token, name, scopes, now_ms, now_ms + DAY_MS, SEED).unwrap();
        Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }
    }

    /// Credentials that only somebody with the internal issuer's token could make.
    async fn forge(&self, forge: &Value, grant: &falconer_store::GrantRecord) -> Keys {
        let issuers = self.world.store.load().await.unwrap().issuers;
        let issuer = issuers.iter().find(|issuer| issuer.name == grant.issuer).unwrap();
        let token = AccessToken::new(issuer.token.expose().to_owned());
        let scopes = self.list(forge, "scopes").unwrap_or_default();
        let name = self.text(forge, "name").unwrap_or_else(|| grant.client_id.clone());
        match forge["kind"].as_str().unwrap() {
            "plain" => Keys { id: issuer.name.clone(), token, certificate: None },
            "unnamed" => self.issue(&issuer.name, &token, None, &scopes),
            "named" => self.issue(&issuer.name, &token, Some(&name), &scopes),
            other => panic!("unknown forgery {other}"),
        }
    }

    async fn verify(&self, step: &Value) -> Result<(), String> {
        let with = step["with"].as_str().unwrap();
        let mut keys = self.keys(step, "with");
        if let Some(forge) = step.get("forge") {
            keys = self.forge(forge, &self.grants[with]).await;
        }
        if let Some(scopes) = self.list(step, "reissue") {
            keys = self.issue(&keys.id, &keys.token, Some("local/ann/again"), &scopes);
        }
        let host = self.text(step, "host").unwrap_or_else(|| "svc.example.com".to_owned());
        let port = u16::try_from(step["port"].as_u64().unwrap_or(443)).unwrap();
        let authorized = self.list(step, "authorizedScopes");
        let verdict = if step["bewit"].as_bool().unwrap_or(false) {
            let ext = sign::ext(keys.certificate.as_deref(), authorized.as_deref());
            let expires = self.world.now() / 1000 + 900;
            let bewit = sign::bewit(&keys.id, &keys.token, "/x", &host, port, expires, ext.as_deref());
            let resource = format!("/x?bewit={bewit}");
            let parts = RequestParts { method: "GET", resource: &resource, host: &host, port, authorization: None };
            self.world.auth.verify(&parts).await
        } else {
            self.world.verify_at(&keys, &host, port, authorized.as_deref()).await
        };
        let expected = &step["expected"];
        if expected["status"] == "auth-failed" {
            if let Verdict::Success(success) = &verdict {
                return Err(format!("accepted with {:?}", success.scopes));
            }
            return same(&json!(message_of(&verdict)), &json!(self.text(expected, "message").unwrap()));
        }
        let success = match verdict {
            Verdict::Success(success) => success,
            other => return Err(format!("{other:?}")),
        };
        same(&json!(success.scopes.to_vec()), &expected["scopes"])?;
        if let Some(client_id) = self.text(expected, "clientId") {
            same(&json!(success.client_id), &json!(client_id))?;
        }
        if let Some(grant) = expected.get("grant").and_then(Value::as_str) {
            same(&json!(success.grant), &json!(self.grants[grant].id))?;
        }
        if let Some(ms) = expected.get("expiresInMs").and_then(Value::as_i64) {
            same(&json!(success.expires_ms - self.world.now()), &json!(ms))?;
        }
        if let Some(identity) = expected.get("identity") {
            same(&success.identity.as_ref().map_or(Value::Null, disclosed), identity)?;
        }
        Ok(())
    }
}

fn disclosed(identity: &DisclosedIdentity) -> Value {
    json!({
        "id": identity.id, "provider": identity.provider, "subject": identity.subject, "displayName": identity.display_name,
        "email": identity.email, "emailVerified": identity.email_verified, "target": identity.target,
    })
}

fn outcome(result: Result<(), ApiError>, step: &Value, fill: impl Fn(&str) -> String) -> Result<(), String> {
    let expected = step.get("expected").and_then(|expected| expected.get("code")).and_then(Value::as_str);
    match (result, expected) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(code)) => Err(format!("expected {code}, but it was done")),
        (Err(error), None) => Err(format!("{error:?}")),
        (Err(error), Some(code)) => {
            same(&json!(code_of(&error)), &json!(code))?;
            step["expected"].get("message").map_or(Ok(()), |text| same(&json!(sent_text(&error)), &json!(fill(text.as_str().unwrap()))))
        }
    }
}

fn code_of(error: &ApiError) -> &'static str {
    match error {
        ApiError::AuthenticationFailed(_) => "AuthenticationFailed",
        ApiError::InsufficientScopes { .. } | ApiError::OutlivesGrant { .. } => "InsufficientScopes",
        ApiError::InvalidRequestArguments(_) => "InvalidRequestArguments",
        ApiError::InputError(_) => "InputError",
        ApiError::ResourceNotFound(_) => "ResourceNotFound",
        ApiError::RequestConflict(_) => "RequestConflict",
        ApiError::TooManyRequests { .. } => "TooManyRequests",
        ApiError::ClockBehind { .. }
        | ApiError::ClockAhead { .. }
        | ApiError::CutOff { .. }
        | ApiError::TokenNotOpened { .. }
        | ApiError::Unavailable(_)
        | ApiError::OutcomeUnknown(_) => "Unavailable",
        ApiError::Internal(_) => "InternalServerError",
    }
}

fn same(found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("found {found}, expected {expected}")) }
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
