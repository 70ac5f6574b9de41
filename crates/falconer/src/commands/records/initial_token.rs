//! `falconer application initial-token ...`: what applications register themselves with.

use anyhow::{Result, bail};
use falconer_wire::{CreateInitialTokenRequest, InitialToken as Token};

use super::application::{in_words, max_life, token_life};
use crate::commands::user::UserOptions;
use crate::output;

/// Tokens with which applications register themselves, where `grant.registration` lets them.
#[derive(clap::Subcommand)]
pub enum InitialToken {
    /// List those that have not ended
    List {
        #[command(flatten)]
        user: UserOptions,
    },
    /// Make one and print it, once
    Create {
        /// Its name: letters, digits, `.`, `_` and `-`
        id: String,
        /// A scope that may be asked for by what is registered; may be repeated; you need each of them
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// How often it can be used
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: i64,
        /// For how long it counts, such as `30 days`
        #[arg(long, value_name = "TIME", value_parser = token_life, default_value = "7 days")]
        life: i64,
        /// The longest life of grants to what is registered
        #[arg(long, value_name = "TIME", value_parser = max_life, default_value = "7 days")]
        max_life: i64,
        /// The identity that owns what is registered, such as `local/ann`
        #[arg(long, value_name = "IDENTITY", default_value = "", hide_default_value = true)]
        owner: String,
        /// Who gets it, and what for, in Markdown
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Revoke one: nothing can be registered with it any more; what was, stays
    Revoke {
        /// Its name
        id: String,
        #[command(flatten)]
        user: UserOptions,
    },
}

/// Runs one of them.
pub async fn run(command: InitialToken) -> Result<()> {
    match command {
        InitialToken::List { user } => {
            let tokens = user.client()?.list_initial_tokens().await?;
            if user.json {
                return output::json(&tokens);
            }
            let rows: Vec<Vec<String>> = tokens
                .iter()
                .map(|one| vec![one.id.clone(), uses(one), one.expires.clone(), one.created_by.clone(), one.scopes.join(" ")])
                .collect();
            output::table(&["TOKEN", "USED", "EXPIRES", "MADE BY", "SCOPES"], &rows)
        }
        InitialToken::Create { id, scopes, uses, life, max_life, owner, description, user } => {
            let request = CreateInitialTokenRequest { description, owner, scopes, max_life_seconds: max_life, uses, life_seconds: life };
            show(&user.client()?.create_initial_token(&id, &request).await?, user.json)
        }
        InitialToken::Revoke { id, user } => {
            let server = user.client()?;
            // Whoever may not list them revokes it unseen.
            let there = server.list_initial_tokens().await.ok().map(|all| all.iter().any(|one| one.id == id));
            if there == Some(false) {
                bail!("there was no initial access token {id}: nothing was revoked");
            }
            server.delete_initial_token(&id).await?;
            match there {
                None => eprintln!("there is no initial access token {id} any more"),
                Some(_) => eprintln!("revoked {id}"),
            }
            Ok(())
        }
    }
}

fn uses(token: &Token) -> String {
    format!("{} of {}", token.uses, token.max_uses)
}

fn show(token: &Token, json: bool) -> Result<()> {
    if json {
        return output::json(token);
    }
    let mut fields = vec![
        ("id", vec![token.id.clone()]),
        ("description", token.description.lines().map(str::to_owned).collect()),
        ("owner", vec![token.owner.clone()]),
        ("scopes", token.scopes.clone()),
        ("longest grant", vec![in_words(token.max_life_seconds)]),
        ("used", vec![uses(token)]),
        ("expires", vec![token.expires.clone()]),
    ];
    fields.extend(token.token.clone().map(|secret| ("token", vec![secret])));
    output::fields(&fields)?;
    if token.token.is_some() {
        eprintln!(
            "The token is shown this once. Whoever has it can register applications; `falconer application initial-token revoke` ends it."
        );
    }
    Ok(())
}
