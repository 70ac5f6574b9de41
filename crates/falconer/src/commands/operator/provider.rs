//! `falconer provider map`: what a person with these claims would get. Nobody is asked, and nothing is written.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::node::providers;
use crate::{output, text_file};

/// Identity providers.
#[derive(clap::Subcommand)]
pub enum Provider {
    /// Say what a person with these claims would get from a provider of the configuration; nobody is asked
    Map {
        /// The provider's name
        name: String,
        /// A JSON file with the claims of an ID token, such as {"sub": "1", "groups": ["hr"]}
        #[arg(long, value_name = "FILE")]
        claims: PathBuf,
        /// The configuration file; by default falconer.toml in this folder, where there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
pub fn run(command: Provider) -> Result<()> {
    let Provider::Map { name, claims, config, json } = command;
    let settings = Config::read(config.as_deref(), std::env::vars())?;
    let providers = providers(&settings)?.sign_in;
    let Some(provider) = providers.iter().find(|provider| provider.name == name) else {
        let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        bail!("the configuration has no provider {name:?}; it has {names}");
    };
    let text = text_file::read(&claims, "the claims in")?;
    let claims: Map<String, Value> = serde_json::from_str(&text).with_context(|| format!("{} is no JSON object", claims.display()))?;
    let person = provider.kind.attributes(&claims).context("nobody would be signed in")?;
    let mapped = provider.mapping.map(&provider.name, &person);
    let refused = mapped.refused.iter().map(|value| format!("{} {:?} in {}: {}", value.attribute, value.value, value.template, value.why));
    let refused: Vec<String> = refused.collect();
    if json {
        return output::json(&json!({
            "identity": mapped.identity,
            "name": person.display_name,
            "email": mapped.email,
            "groups": mapped.groups,
            "otherGroups": mapped.other_groups,
            "scopes": mapped.scopes,
            "refused": refused,
        }));
    }
    output::fields(&[
        ("identity", vec![mapped.identity]),
        ("name", vec![person.display_name]),
        ("e-mail that counts", mapped.email.into_iter().collect()),
        ("groups that count", mapped.groups),
        ("other groups", mapped.other_groups),
        ("scopes", mapped.scopes),
        ("refused", refused),
    ])
}
