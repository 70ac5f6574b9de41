//! Credentials for other systems. Tokens for websocktunnels are ours to make; no cloud is configured here, so the others
//! answer what an unconfigured deployment answers, after their authorization.

use falconer_scopes::Template;
use falconer_wire::{Call, Code, WebsocktunnelToken};
use serde_json::{Map, Value, json};
use zeroize::Zeroize as _;

use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, MOST_SCOPES, Request, time};

pub(crate) fn answer(call: Call, template: Option<&Template>, request: &Request<'_>) -> Answer {
    let account = |end: &str| Failure::not_found(format!("Account '{}' not found, can't delegate access{end}", request.param("account")));
    match call {
        Call::AzureAccounts => Ok(Reply::json(&json!({ "accounts": [] }))),
        Call::AzureTables => Err(account("")),
        Call::AzureContainers => Err(account(".")),
        Call::AwsS3Credentials => {
            storage_authorization(template, request)?;
            Err(Failure::not_found(format!("No credentials available for bucket {}", request.param("bucket"))))
        }
        Call::AzureTableSas => {
            storage_authorization(template, request)?;
            Err(account(""))
        }
        Call::AzureContainerSas => {
            storage_authorization(template, request)?;
            Err(account("."))
        }
        Call::SentryDsn => Err(Failure::not_found("Sentry credentials not found")),
        Call::WebsocktunnelToken => websocktunnel(request),
        Call::GcpCredentials => Err(Failure::not_found("GCP credentials are not available")),
        Call::GithubRepoToken => {
            github_authorization(template, request)?;
            Err(Failure::not_found(format!("Application with name `{}` is not configured", request.param("appName"))))
        }
        _ => Err(Failure::internal("not a broker")),
    }
}

fn websocktunnel(request: &Request<'_>) -> Answer {
    let (wst_audience, wst_client) = (request.param("wstAudience"), request.param("wstClient"));
    let token = request.auth.websocktunnel_token(request.who, wst_audience, wst_client)?;
    let mut shown = WebsocktunnelToken {
        wst_client: wst_client.to_owned(),
        wst_audience: wst_audience.to_owned(),
        token: token.token.expose().to_owned(),
        expires: time(token.expires_ms),
    };
    let reply = Reply::json_secret(&shown);
    shown.token.zeroize();
    Ok(reply)
}

fn storage_authorization(template: Option<&Template>, request: &Request<'_>) -> Result<(), Failure> {
    let mut params = path_params(request);
    params.insert("levelIsReadOnly".to_owned(), Value::from(request.param("level") == "read-only"));
    require(template, &params, request)
}

/// One scope for each permission (outer loop) and repository (inner loop), owner and repository in lower case.
fn github_authorization(template: Option<&Template>, request: &Request<'_>) -> Result<(), Failure> {
    let mut params = path_params(request);
    params.insert("owner".to_owned(), Value::from(request.param("owner").to_lowercase()));
    let body = &request.body.json;
    let repositories: Vec<String> =
        body.get("repositories").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let permissions = body.get("permissions").and_then(Value::as_object);
    if permissions.map_or(0, Map::len).saturating_mul(repositories.len()) > MOST_SCOPES {
        return Err(Failure::new(Code::InputTooLarge, format!("Permissions and repositories come to more than {MOST_SCOPES} scopes")));
    }
    let mut wanted = Vec::new();
    for (permission, level) in permissions.into_iter().flatten() {
        let level = level.as_str().unwrap_or_default();
        wanted.extend(repositories.iter().map(|repository| Value::from(format!("{repository}:{permission}:{level}"))));
    }
    params.insert("repoPerms".to_owned(), Value::from(wanted));
    require(template, &params, request)
}

fn path_params(request: &Request<'_>) -> Map<String, Value> {
    request.params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect()
}

fn require(template: Option<&Template>, params: &Map<String, Value>, request: &Request<'_>) -> Result<(), Failure> {
    let template = template.ok_or_else(|| Failure::internal("the method has no scope template"))?;
    match template.render(params).map_err(|error| Failure::internal(error.to_string()))? {
        None => Ok(()),
        Some(required) => Ok(request.who.require(&required)?),
    }
}
