//! `falconer scope-registry ...`: what services say of their scopes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_wire::{PutScopeRegistryRequest, ScopeRegistry as Registry, ScopeSentence};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::deletion;
use crate::commands::user::UserOptions;
use crate::output;
use crate::text_file;

/// What services say of their scopes, but for what the configuration of the server says.
#[derive(clap::Subcommand)]
pub enum ScopeRegistry {
    /// List the namespaces that something was published about
    List {
        #[command(flatten)]
        user: UserOptions,
    },
    /// Show what was published about a namespace
    Show {
        /// What the scopes begin with, such as `notes`
        namespace: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Publish what a file says, in place of what was published before; the same once more changes nothing
    Publish {
        /// The file: `[[scope]]` in TOML, as the configuration has it, or what `show --json` prints
        file: PathBuf,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Delete what was published about a namespace
    Delete {
        /// What the scopes begin with, such as `notes`
        namespace: String,
        #[command(flatten)]
        user: UserOptions,
    },
}

/// Runs one of them.
pub async fn run(command: ScopeRegistry) -> Result<()> {
    match command {
        ScopeRegistry::List { user } => {
            let all = user.client()?.list_all_scope_registries().await?;
            if user.json {
                return output::json(&all);
            }
            let rows: Vec<Vec<String>> =
                all.into_iter().map(|one| vec![one.namespace, one.scopes.to_string(), one.published_by, one.last_modified]).collect();
            output::table(&["NAMESPACE", "SENTENCES", "PUBLISHED BY", "CHANGED"], &rows)
        }
        ScopeRegistry::Show { namespace, user } => {
            let found = user.client()?.scope_registry(&namespace).await?;
            show(&found.with_context(|| format!("no service has published anything about {namespace}"))?, user.json)
        }
        ScopeRegistry::Publish { file, user } => {
            let (namespace, request) = read(&file)?;
            let published = user.client()?.put_scope_registry(&namespace, &request).await?;
            if user.json {
                return output::json(&published);
            }
            eprintln!("published {} about the scopes of {namespace}", sentences(published.scopes.len()));
            Ok(())
        }
        ScopeRegistry::Delete { namespace, user } => {
            let server = user.client()?;
            let there = deletion::is_there(server.scope_registry(&namespace).await)?;
            if there == Some(false) {
                bail!("nothing was published about {namespace}: nothing was deleted");
            }
            server.delete_scope_registry(&namespace).await?;
            eprintln!("deleted {namespace}");
            Ok(())
        }
    }
}

fn sentences(count: usize) -> String {
    if count == 1 { "1 sentence".to_owned() } else { format!("{count} sentences") }
}

fn show(registry: &Registry, json: bool) -> Result<()> {
    if json {
        return output::json(registry);
    }
    let in_a_line = |scope: &ScopeSentence| format!("{} ({}): {}", scope.template, scope.risk, scope.sentence);
    output::fields(&[
        ("namespace", vec![registry.namespace.clone()]),
        ("published by", vec![registry.published_by.clone()]),
        ("created", vec![registry.created.clone()]),
        ("changed", vec![registry.last_modified.clone()]),
        ("scopes", registry.scopes.iter().map(in_a_line).collect()),
    ])
}

/// As the configuration of a server has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    scope: Vec<OfNamespace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfNamespace {
    namespace: String,
    template: String,
    sentence: String,
    #[serde(default = "ordinary")]
    risk: String,
}

fn ordinary() -> String {
    "ordinary".to_owned()
}

/// As `show --json` prints it. When it was published and by whom says nothing here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    namespace: String,
    scopes: Vec<Sentence>,
    #[serde(default, rename = "publishedBy")]
    _published_by: IgnoredAny,
    #[serde(default, rename = "created")]
    _created: IgnoredAny,
    #[serde(default, rename = "lastModified")]
    _last_modified: IgnoredAny,
}

/// A mistake in `risk` is no ordinary one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    template: String,
    sentence: String,
    #[serde(default = "ordinary")]
    risk: String,
}

/// The namespace of a file, and what it says of it.
fn read(file: &Path) -> Result<(String, PutScopeRegistryRequest)> {
    let text = text_file::read(file, "the sentences")?;
    parse(&text).with_context(|| format!("{} can't be published", file.display()))
}

fn parse(text: &str) -> Result<(String, PutScopeRegistryRequest)> {
    if text.trim_start().starts_with('{') {
        let Json { namespace, scopes, .. } = serde_json::from_str(text)?;
        let scopes = scopes.into_iter().map(|Sentence { template, sentence, risk }| ScopeSentence { template, sentence, risk });
        return Ok((namespace, PutScopeRegistryRequest { scopes: scopes.collect() }));
    }
    let Toml { scope } = toml::from_str(text)?;
    let Some(namespace) = scope.first().map(|first| first.namespace.clone()) else { bail!("it says nothing of any scope") };
    if let Some(other) = scope.iter().find(|one| one.namespace != namespace) {
        bail!("it is about the scopes of {namespace} and of {}: write a file for each", other.namespace);
    }
    let scopes = scope.into_iter().map(|OfNamespace { template, sentence, risk, .. }| ScopeSentence { template, sentence, risk });
    Ok((namespace, PutScopeRegistryRequest { scopes: scopes.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_file_say_the_same() {
        let toml = "[[scope]]\nnamespace = \"notes\"\ntemplate = \"notes:read:<book>\"\nsentence = \"Read <book>\"\n\n\
                    [[scope]]\nnamespace = \"notes\"\ntemplate = \"notes:burn\"\nsentence = \"Burn\"\nrisk = \"high\"\n";
        let json = r#"{ "namespace": "notes", "publishedBy": "x", "created": "y", "lastModified": "z", "scopes": [
            { "template": "notes:read:<book>", "sentence": "Read <book>" }, { "template": "notes:burn", "sentence": "Burn", "risk": "high" }] }"#;
        let (namespace, request) = parse(toml).unwrap();
        assert_eq!((namespace.as_str(), request.scopes.len(), request.scopes[1].risk.as_str()), ("notes", 2, "high"));
        assert_eq!(parse(json).unwrap(), (namespace, request));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (text, said) in [
            ("", "missing field `scope`"),
            ("scope = []", "nothing of any scope"),
            ("[[scope]]\nnamespace = \"a\"\ntemplate = \"a:x\"\n", "missing field `sentence`"),
            ("[[scope]]\nnamespace = \"a\"\ntemplate = \"a:x\"\nsentence = \"X\"\nrisks = \"high\"\n", "unknown field `risks`"),
            (
                "[[scope]]\nnamespace = \"a\"\ntemplate = \"a:x\"\nsentence = \"X\"\n[[scope]]\nnamespace = \"b\"\ntemplate = \"b:x\"\nsentence = \"X\"\n",
                "of a and of b",
            ),
            ("{\"namespace\": \"a\"}", "missing field `scopes`"),
            (
                "{\"namespace\": \"a\", \"scopes\": [{\"template\": \"a:x\", \"sentence\": \"X\", \"risks\": \"high\"}]}",
                "unknown field `risks`",
            ),
            ("{\"namespace\": \"a\", \"scopes\": [], \"risk\": \"high\"}", "unknown field `risk`"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
