//! What the tests of this crate share: the vectors, the world of `fixture-std.json`, and the three steps of verification in a row.
#![allow(dead_code)]

pub mod forge;
pub mod oracle;

use falconer_credentials::{AccessToken, Issuer, RequestParts, Revoked, evaluate, read};
use falconer_scopes::{Role, RoleSet, ScopeSet};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Where the vectors are, and whether these are the committed ones.
pub fn vectors() -> (PathBuf, bool) {
    match std::env::var_os("FALCONER_VECTORS") {
        Some(folder) => (folder.into(), false),
        None => (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors"), true),
    }
}

/// The cases of one file; `None` if a folder of others does not have it.
pub fn load(file: &str) -> Option<Vec<Value>> {
    let (folder, committed) = vectors();
    let path = folder.join(format!("{file}.json"));
    if !committed && !path.exists() {
        return None;
    }
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

pub struct Client {
    pub id: String,
    pub token: AccessToken,
    pub expires_ms: i64,
    pub disabled: bool,
    pub scopes: ScopeSet,
}

/// Clock, roles and clients.
pub struct World {
    pub now_ms: i64,
    pub roles: RoleSet,
    pub clients: Vec<Client>,
}

impl World {
    pub fn std() -> World {
        let cases = load("fixture-std").expect("fixture-std.json is needed by the other files");
        World::new(&cases[0]["input"])
    }

    fn new(input: &Value) -> World {
        let roles = RoleSet::new(
            input["roles"].as_array().unwrap().iter().map(|role| Role { role_id: text(&role["roleId"]), scopes: texts(&role["scopes"]) }),
        );
        let clients = input["clients"].as_array().unwrap().iter().map(|client| Client {
            id: text(&client["clientId"]),
            token: AccessToken::new(text(&client["accessToken"])),
            expires_ms: client["expires"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond(),
            disabled: client["disabled"].as_bool().unwrap(),
            scopes: roles.expand(texts(&client["scopes"])),
        });
        World { now_ms: input["nowMs"].as_i64().unwrap(), clients: clients.collect(), roles: roles.clone() }
    }

    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// The complete answer of authenticateHawk.
    pub fn authenticate(&self, parts: &RequestParts<'_>, now_ms: i64) -> Value {
        let expand = |scopes: &[&str]| self.roles.expand(scopes.iter().copied());
        let verified = read(parts).and_then(|signed| {
            let Some(signed) = signed else {
                return Ok(None);
            };
            let client = self.client(signed.key_owner());
            let authentic = signed.check_mac(client.map(|client| &client.token))?;
            let client = client.unwrap();
            evaluate(
                &authentic,
                &Issuer {
                    client_id: &client.id,
                    token: &client.token,
                    expires_ms: client.expires_ms,
                    disabled: client.disabled,
                    scopes: &client.scopes,
                    revoked: Revoked::default(),
                },
                now_ms,
                &expand,
            )
            .map(Some)
        });
        match verified {
            Err(failure) => json!({"status": "auth-failed", "message": failure.to_string()}),
            Ok(None) => json!({
                "status": "no-auth", "scheme": "none", "expires": iso(now_ms + 15 * 60 * 1000), "scopes": expand(&["assume:anonymous"]),
            }),
            Ok(Some(verified)) => {
                let mut result = json!({
                    "status": "auth-success", "scheme": "hawk", "expires": iso(verified.expires_ms), "scopes": verified.scopes,
                    "clientId": verified.client_id,
                });
                if let Some(hash) = verified.hash {
                    result["hash"] = hash.into();
                }
                result
            }
        }
    }
}

/// The request of a vector.
pub fn parts(request: &Value) -> RequestParts<'_> {
    RequestParts {
        method: request["method"].as_str().unwrap(),
        resource: request["resource"].as_str().unwrap(),
        host: request["host"].as_str().unwrap(),
        port: u16::try_from(request["port"].as_u64().unwrap()).unwrap(),
        authorization: request["authorization"].as_str(),
    }
}

pub fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}
