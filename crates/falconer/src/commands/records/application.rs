//! `falconer application ...`: the applications of a server's database.

use anyhow::{Context, Result, bail};
use falconer_grants::keys_of_jwks;
use falconer_wire::{ApplicationKind, KeySet, PutApplicationRequest, ResetApplicationSecretRequest, time_expression};
use serde_json::Value;

use super::{deletion, initial_token};
use crate::commands::user::{UserOptions, any_scope};
use crate::output::{self, WrongUse};

/// The applications of a server that ask people for grants by OAuth 2, but for those of its configuration.
#[derive(clap::Subcommand)]
pub enum Application {
    /// List applications
    List {
        #[command(flatten)]
        user: UserOptions,
    },
    /// Show an application
    Show {
        /// Its `client_id`
        id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Make an application; one with a secret prints it, once
    Create {
        /// Its `client_id`: letters, digits, `.`, `_` and `-`
        id: String,
        /// What the grant page calls it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        record: Record,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Change an application: what is not given stays
    Update {
        /// Its `client_id`
        id: String,
        /// What the grant page calls it
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        record: Record,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Give an application another secret and print it; the one before counts for a while
    ResetSecret {
        /// Its `client_id`
        id: String,
        /// For how long the secret before counts, such as `1 hour`; at most 7 days; `0 seconds`: it ends at once
        #[arg(long, value_name = "TIME", value_parser = overlap, default_value = "1 day")]
        overlap: i64,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Delete an application; what it was given lasts as long as its grants
    Delete {
        /// Its `client_id`
        id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Tokens with which applications register themselves
    #[command(subcommand)]
    InitialToken(initial_token::InitialToken),
}

/// What an application is made of.
#[derive(clap::Args, Default, PartialEq, Eq)]
pub struct Record {
    /// Where its answers go; may be repeated; `update` replaces all
    #[arg(long = "redirect-uri", value_name = "URL")]
    redirect_uris: Vec<String>,
    /// A scope that it may ask for; may be repeated; `update` replaces all
    #[arg(long = "scope", value_name = "SCOPE", value_parser = any_scope)]
    scopes: Vec<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The identity of whoever may change it, such as `local/ann`; empty: nobody but administrators
    #[arg(long)]
    owner: Option<String>,
    /// Whether it is a server with a secret
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    confidential: Option<bool>,
    /// The longest life of a grant to it, such as `1 day`; at most 31 days
    #[arg(long, value_name = "TIME", value_parser = max_life)]
    max_life: Option<i64>,
    /// For how long people may have their consent remembered, such as `30 days`; at most 90 days; `0 seconds`: they are asked each time
    #[arg(long, value_name = "TIME", value_parser = remember_consent)]
    remember_consent: Option<i64>,
    /// Whether nobody is asked, for what is not broad; it takes `auth:skip-consent:<id>`
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    skip_consent: Option<bool>,
    /// Whether its requests have to be pushed
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pushed_only: Option<bool>,
    /// What its ID tokens are signed with
    #[arg(long, value_name = "ALGORITHM", value_parser = ["ES256", "EdDSA", "RS256"])]
    id_token_alg: Option<String>,
    /// Whether its access tokens are bound to keys, so that it gets none without a proof
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    dpop_bound_access_tokens: Option<bool>,
    /// A file with its public keys as a JWKS, which it proves with who it is, in place of a secret; '' for none
    #[arg(long, value_name = "FILE", value_parser = key_set)]
    jwks: Option<KeySet>,
    /// Whether it acts of its own accord, so that its grants are short unless people say otherwise
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    agent: Option<bool>,
    /// Where it is told that somebody has signed out; '' for nowhere
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
}

impl Record {
    fn onto(self, request: PutApplicationRequest) -> PutApplicationRequest {
        let or = |given: Vec<String>, before| if given.is_empty() { before } else { given };
        PutApplicationRequest {
            redirect_uris: or(self.redirect_uris, request.redirect_uris),
            scopes: or(self.scopes, request.scopes),
            description: self.description.unwrap_or(request.description),
            owner: self.owner.unwrap_or(request.owner),
            kind: match self.confidential {
                None => request.kind,
                Some(true) => ApplicationKind::Confidential,
                Some(false) => ApplicationKind::Public,
            },
            max_life_seconds: self.max_life.unwrap_or(request.max_life_seconds),
            remember_consent_seconds: self.remember_consent.unwrap_or(request.remember_consent_seconds),
            skip_consent: self.skip_consent.unwrap_or(request.skip_consent),
            pushed_only: self.pushed_only.unwrap_or(request.pushed_only),
            id_token_alg: self.id_token_alg.unwrap_or(request.id_token_alg),
            dpop_bound_access_tokens: self.dpop_bound_access_tokens.unwrap_or(request.dpop_bound_access_tokens),
            jwks: self.jwks.unwrap_or(request.jwks),
            agent: self.agent.unwrap_or(request.agent),
            backchannel_logout_uri: self.backchannel_logout_uri.unwrap_or(request.backchannel_logout_uri),
            name: request.name,
        }
    }
}

/// Runs one of them.
pub async fn run(command: Application) -> Result<()> {
    match command {
        Application::List { user } => {
            let applications = user.client()?.list_all_applications().await?;
            if user.json {
                return output::json(&applications);
            }
            let rows: Vec<Vec<String>> = applications
                .iter()
                .map(|one| vec![one.id.clone(), one.name.clone(), kind(one.kind).to_owned(), one.owner.clone(), one.scopes.join(" ")])
                .collect();
            output::table(&["APPLICATION", "NAME", "KIND", "OWNER", "SCOPES"], &rows)
        }
        Application::Show { id, user } => show(&present(&user.client()?, &id).await?, user.json),
        Application::Create { id, name, record, user } => {
            let server = user.client()?;
            if matches!(server.application(&id).await, Ok(Some(_))) {
                bail!("there is an application {id}: `falconer application update` changes it");
            }
            let nothing = PutApplicationRequest {
                name,
                description: String::new(),
                owner: String::new(),
                redirect_uris: Vec::new(),
                scopes: Vec::new(),
                max_life_seconds: 7 * 86_400,
                kind: ApplicationKind::Public,
                remember_consent_seconds: 0,
                skip_consent: false,
                pushed_only: false,
                id_token_alg: "ES256".to_owned(),
                dpop_bound_access_tokens: false,
                jwks: KeySet::default(),
                agent: false,
                backchannel_logout_uri: String::new(),
            };
            show(&server.put_application(&id, &record.onto(nothing)).await?, user.json)
        }
        Application::Update { id, name, record, user } => {
            if name.is_none() && record == Record::default() {
                return Err(WrongUse::nothing_to_change("--scope").into());
            }
            let server = user.client()?;
            let present = present(&server, &id).await?;
            let as_it_is = PutApplicationRequest {
                name: name.unwrap_or(present.name),
                description: present.description,
                owner: present.owner,
                redirect_uris: present.redirect_uris,
                scopes: present.scopes,
                max_life_seconds: present.max_life_seconds,
                kind: present.kind,
                remember_consent_seconds: present.remember_consent_seconds,
                skip_consent: present.skip_consent,
                pushed_only: present.pushed_only,
                id_token_alg: present.id_token_alg,
                dpop_bound_access_tokens: present.dpop_bound_access_tokens,
                jwks: present.jwks,
                agent: present.agent,
                backchannel_logout_uri: present.backchannel_logout_uri,
            };
            show(&server.put_application(&id, &record.onto(as_it_is)).await?, user.json)
        }
        Application::ResetSecret { id, overlap, user } => {
            let request = ResetApplicationSecretRequest { overlap_seconds: overlap };
            show(&user.client()?.reset_application_secret(&id, &request).await?, user.json)
        }
        Application::Delete { id, user } => {
            let server = user.client()?;
            let there = deletion::is_there(server.application(&id).await)?;
            if there == Some(false) {
                bail!("there was no application {id}: nothing was deleted");
            }
            server.delete_application(&id).await?;
            match there {
                None => {
                    eprintln!("there is no application {id} any more; whether there was one can't be told without auth:list-applications")
                }
                Some(_) => eprintln!("deleted {id}"),
            }
            Ok(())
        }
        Application::InitialToken(command) => initial_token::run(command).await,
    }
}

async fn present(server: &falconer_client::Client, id: &str) -> Result<falconer_wire::Application> {
    server.application(id).await?.with_context(|| format!("there is no application {id} in the database"))
}

/// The keys of a file. A private one is refused here: it is sent to nobody.
fn key_set(path: &str) -> Result<KeySet, String> {
    if path.is_empty() {
        return Ok(KeySet::default());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("it can't be read: {error}"))?;
    if text.trim().is_empty() {
        return Err("there is no key in it: {\"keys\": [...]}".to_owned());
    }
    let keys = keys_of_jwks(&text)?;
    Ok(KeySet { keys: keys.iter().filter_map(|key| serde_json::from_str(key).ok()).collect() })
}

pub(super) fn max_life(text: &str) -> Result<i64, String> {
    seconds(text, 1, 31)
}

fn remember_consent(text: &str) -> Result<i64, String> {
    seconds(text, 0, 90)
}

pub(super) fn overlap(text: &str) -> Result<i64, String> {
    seconds(text, 0, 7)
}

/// Of a token that lets applications register themselves.
pub(super) fn token_life(text: &str) -> Result<i64, String> {
    seconds(text, 1, 366)
}

/// A length of time that the API takes: at least so many seconds, at most so many days.
fn seconds(text: &str, least: i64, most_days: i64) -> Result<i64, String> {
    let found = time_expression::parse_ms(text).map(|ms| ms.div_euclid(1000));
    found.ok().filter(|seconds| (least..=most_days * 86_400).contains(seconds)).ok_or_else(|| {
        let from = if least == 0 { "`0 seconds`" } else { "1 second" };
        format!("write a time from {from} to {most_days} days, such as `1 hour` or `2 days`")
    })
}

fn kind(kind: ApplicationKind) -> &'static str {
    match kind {
        ApplicationKind::Public => "public",
        ApplicationKind::Confidential => "confidential",
    }
}

pub(super) fn in_words(seconds: i64) -> String {
    falconer_web::exact_duration(seconds.saturating_mul(1000))
}

fn consent_in_words(application: &falconer_wire::Application) -> String {
    match (application.skip_consent, application.remember_consent_seconds) {
        (true, _) => "not at all".to_owned(),
        (false, 0) => "each time".to_owned(),
        (false, seconds) => format!("each time, or once in {} where they want that", in_words(seconds)),
    }
}

fn show(application: &falconer_wire::Application, json: bool) -> Result<()> {
    if json {
        return output::json(application);
    }
    let mut fields = vec![
        ("client_id", vec![application.id.clone()]),
        ("name", vec![application.name.clone()]),
        ("description", application.description.lines().map(str::to_owned).collect()),
        ("owner", vec![application.owner.clone()]),
        ("kind", vec![kind(application.kind).to_owned()]),
        ("redirect URIs", application.redirect_uris.clone()),
        ("scopes", application.scopes.clone()),
        ("longest life", vec![in_words(application.max_life_seconds)]),
        ("people are asked", vec![consent_in_words(application)]),
        ("ID tokens", vec![format!("signed by {}", application.id_token_alg)]),
        ("requests", vec![if application.pushed_only { "have to be pushed" } else { "may be brought by the browser" }.to_owned()]),
    ];
    if !application.jwks.keys.is_empty() {
        fields.push(("keys", application.jwks.keys.iter().map(|key| Value::Object(key.clone()).to_string()).collect()));
    }
    if application.agent {
        fields.push(("agent", vec!["its grants are short unless people say otherwise".to_owned()]));
    }
    if !application.backchannel_logout_uri.is_empty() {
        fields.push(("told of signing out", vec![application.backchannel_logout_uri.clone()]));
    }
    if application.registered_itself {
        let with = application
            .initial_token
            .as_ref()
            .map_or_else(|| "without a token".to_owned(), |id| format!("with the initial access token {id}"));
        fields.push(("registered itself", vec![with]));
    }
    fields.extend(application.secret_made.clone().map(|at| ("secret made", vec![at])));
    fields.extend(application.old_secret_ends.clone().map(|at| ("the one before", vec![format!("counts until {at}")])));
    fields.extend(application.secret.clone().map(|secret| ("secret", vec![secret])));
    output::fields(&fields)?;
    if application.secret.is_some() {
        eprintln!("The secret is shown this once; `falconer application reset-secret` makes another.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use falconer_wire::{Service, schemas};

    use super::*;

    #[test]
    fn options_take_what_the_api_takes() {
        for (schema, property, read) in [
            ("put-application-request", "maxLifeSeconds", max_life as fn(&str) -> Result<i64, String>),
            ("put-application-request", "rememberConsentSeconds", remember_consent),
            ("reset-application-secret-request", "overlapSeconds", overlap),
            ("reset-access-token-request", "overlapSeconds", overlap),
            ("create-initial-token-request", "maxLifeSeconds", max_life),
            ("create-initial-token-request", "lifeSeconds", token_life),
        ] {
            let schema: serde_json::Value = serde_json::from_str(schemas::get(Service::Falconer, schema).unwrap().json).unwrap();
            let bound = |name: &str| schema["properties"][property][name].as_i64().unwrap();
            for (seconds, is_taken) in
                [(bound("minimum") - 1, false), (bound("minimum"), true), (bound("maximum"), true), (bound("maximum") + 1, false)]
            {
                let text = if seconds < 0 { format!("-{} seconds", -seconds) } else { format!("{seconds} seconds") };
                assert_eq!(read(&text).is_ok(), is_taken, "{property}: {text}");
            }
        }
    }
}
