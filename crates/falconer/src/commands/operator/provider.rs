//! `falconer provider map`: what a person with these claims would get. Nobody is asked, and nothing is written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_login::{MappedClaims, would_get};
use falconer_wire::{MapPersonRequest, MappedPerson, RefusedClaim};
use serde_json::{Map, Value, json};

use crate::commands::user::{ServerOptions, server_url};
use crate::config::Config;
use crate::node::providers;
use crate::{output, text_file};

/// Identity providers.
#[derive(clap::Subcommand)]
pub enum Provider {
    /// Say what a person with these claims would get from a provider of the configuration, or of a server; nobody is asked
    Map {
        /// The provider's name; or that of a directory that only authorizes
        name: String,
        /// A JSON file with the claims of an ID token, such as {"sub": "1", "groups": ["hr"]}, or with what a directory answers
        #[arg(long, value_name = "FILE")]
        claims: PathBuf,
        /// The configuration file; by default the one that FALCONER_CONFIG names, else falconer.toml in this folder
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Ask a server with its configuration and roles, with the credentials of the environment, else of a session; by default the server of TASKCLUSTER_ROOT_URL, else of the session
        #[arg(long, visible_alias = "root-url", value_name = "URL", num_args = 0..=1, require_equals = true, conflicts_with = "config", value_parser = server_url)]
        remote: Option<Option<String>>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
pub async fn run(command: Provider) -> Result<()> {
    let Provider::Map { name, claims, config, remote, json } = command;
    let text = text_file::read(&claims, "the claims in")?;
    let claims: Map<String, Value> = serde_json::from_str(&text).with_context(|| format!("{} is no JSON object", claims.display()))?;
    let (mapped, expanded) = match remote {
        None => (here(&name, config.as_deref(), &claims)?, None),
        Some(url) => {
            let mut mapped = ServerOptions::at(url).client()?.map_person(&name, &MapPersonRequest { claims }).await?;
            let expanded = std::mem::take(&mut mapped.expanded_scopes);
            (mapped, Some(expanded))
        }
    };
    print(mapped, expanded, json)
}

/// By the configuration on this machine. What roles make of the scopes is known to a server only.
fn here(name: &str, config: Option<&Path>, claims: &Map<String, Value>) -> Result<MappedPerson> {
    let settings = Config::read(config, std::env::vars())?;
    let providers = providers(&settings)?;
    let Some(found) = would_get(&providers.sign_in, &providers.directories, name, claims) else {
        let names = providers.sign_in.iter().map(|provider| provider.name.as_str());
        let names: Vec<&str> = names.chain(providers.directories.iter().map(|directory| directory.name.as_str())).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        bail!("the configuration has no provider {name:?}; it has {names}");
    };
    let MappedClaims { attributes, mapped, only_authorizes } = found?;
    let refused = mapped.refused.into_iter().map(|refused| RefusedClaim {
        template: refused.template,
        attribute: refused.attribute.to_owned(),
        value: refused.value,
        why: refused.why.to_owned(),
    });
    Ok(MappedPerson {
        identity: mapped.identity,
        display_name: attributes.display_name,
        username: attributes.username,
        email: mapped.email,
        groups: mapped.groups,
        other_groups: mapped.other_groups,
        scopes: mapped.scopes,
        expanded_scopes: Vec::new(),
        refused: refused.collect(),
        only_authorizes,
    })
}

fn print(mapped: MappedPerson, expanded: Option<Vec<String>>, as_json: bool) -> Result<()> {
    let refused = mapped.refused.iter().map(|value| format!("{} {:?} in {}: {}", value.attribute, value.value, value.template, value.why));
    let refused: Vec<String> = refused.collect();
    if as_json {
        let mut shown = json!({
            "identity": mapped.identity,
            "name": mapped.display_name,
            "email": mapped.email,
            "groups": mapped.groups,
            "otherGroups": mapped.other_groups,
            "scopes": mapped.scopes,
            "refused": refused,
            "onlyAuthorizes": mapped.only_authorizes,
        });
        if let (Some(expanded), Some(members)) = (expanded, shown.as_object_mut()) {
            members.insert("expandedScopes".to_owned(), json!(expanded));
        }
        return output::json(&shown);
    }
    let identity = if mapped.only_authorizes { "adds to somebody, as" } else { "identity" };
    let mut fields = vec![
        (identity, vec![mapped.identity]),
        ("name", vec![mapped.display_name]),
        ("e-mail that counts", mapped.email.into_iter().collect()),
        ("groups that count", mapped.groups),
        ("other groups", mapped.other_groups),
        ("scopes", mapped.scopes),
    ];
    fields.extend(expanded.map(|expanded| ("what they come to", expanded)));
    fields.push(("refused", refused));
    output::fields(&fields)
}
