//! `falconer repair`: records whose sealed value does not open get a new one, or go.

use anyhow::{Context, Result, bail};
use falconer_store::{Damaged, SealedKind};
use serde_json::{Value, json};

use super::PrintOptions;
use crate::node::Node;
use crate::output;

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";

/// `falconer repair`
#[derive(clap::Args)]
pub struct Options {
    /// Only say what is damaged and what would be done
    #[arg(long)]
    dry_run: bool,
    /// Delete this damaged client instead of giving it a new access token; may be repeated
    #[arg(long, value_name = "CLIENT_ID", conflicts_with = "dry_run")]
    delete: Vec<String>,
    #[command(flatten)]
    print: PrintOptions,
}

/// Repairs what is damaged, and prints what was done with each. Fails while damage stays.
pub async fn run(options: Options) -> Result<()> {
    let (node, _) = options.print.local.open().await?;
    let damaged = find(&node).await?;
    let is_damaged = |client_id: &String| damaged.iter().any(|row| row.kind == SealedKind::Client && row.id == *client_id);
    if let Some(whole) = options.delete.iter().find(|client_id| !is_damaged(client_id)) {
        return Err(output::WrongUse(format!("--delete {whole}: this is no damaged client")).into());
    }
    let mut rows = Vec::new();
    let repaired = repair(&node, &options, &damaged, &mut rows).await;
    // What was done is said, also where it ended early: there are tokens in it that nobody else knows.
    let left = match &repaired {
        Ok(()) if !options.dry_run => find(&node).await.map(|found| found.len()),
        _ => Ok(damaged.len().saturating_sub(if options.dry_run { 0 } else { rows.len() })),
    };
    if options.print.json {
        output::json(&json!({ "records": rows, "left": left.as_ref().ok() }))?;
    }
    repaired?;
    let left = left?;
    if !options.print.json && damaged.is_empty() {
        output::line("Nothing is damaged.")?;
    }
    if left > 0 {
        bail!("{left} damaged records are left");
    }
    Ok(())
}

/// One after the other, and says what was done with each: in `rows`, or at once, so that no token is lost where a later one fails.
async fn repair(node: &Node, options: &Options, damaged: &[Damaged], rows: &mut Vec<Value>) -> Result<()> {
    for row in damaged {
        let (done, token) = if options.dry_run {
            (would_do(row), None)
        } else {
            let deletes = row.kind == SealedKind::Client && options.delete.contains(&row.id);
            mend(node, row, deletes).await.with_context(|| format!("can't repair the {} {}", row.kind.as_str(), row.id))?
        };
        if options.print.json {
            rows.push(json!({ "kind": row.kind.as_str(), "id": row.id, "why": row.why, "done": done, "accessToken": token }));
        } else {
            output::line(&output::harmless(&format!("{} {}: {}; {done}", row.kind.as_str(), row.id, row.why)))?;
            token.iter().try_for_each(|token| output::line(&format!("  accessToken {token}")))?;
        }
    }
    Ok(())
}

/// All damaged records.
pub async fn find(node: &Node) -> Result<Vec<Damaged>> {
    Ok(node.store.load_each(Box::new(|_| ())).await?.damaged)
}

/// What a run without `--dry-run` does with it.
fn would_do(row: &Damaged) -> &'static str {
    match row.kind {
        SealedKind::Client => "would get a new access token, printed once; `--delete` with its clientId deletes it instead",
        SealedKind::OldToken => "would be removed: what still signs with it stops working",
        SealedKind::Issuer => "would get a new key: the grants that it has issued would be revoked",
        SealedKind::Account => "its password would be cleared; `falconer account password` sets another one",
        SealedKind::RecoveryCode => "would be removed: the others of the account stay",
        SealedKind::Session => "would be removed: that browser signs in again",
        SealedKind::Refresh => "would be removed: the provider is asked again when this person next signs in",
    }
}

/// What was done, and the new access token.
async fn mend(node: &Node, row: &Damaged, deletes: bool) -> Result<(&'static str, Option<String>)> {
    Ok(match row.kind {
        SealedKind::Client if deletes => {
            node.auth.delete_damaged_client(&row.id).await?;
            ("deleted", None)
        }
        SealedKind::Client => {
            let token = node.auth.repair_client(&row.id).await?;
            ("has a new access token, shown this once", Some(token.expose().to_owned()))
        }
        SealedKind::OldToken => {
            node.auth.remove_damaged_old_token(&row.id).await?;
            ("removed: what still signs with it stops working", None)
        }
        SealedKind::Issuer => {
            node.auth.repair_issuer(&row.id).await?;
            ("has a new key: the grants that it has issued are revoked", None)
        }
        SealedKind::Account => {
            node.login.clear_password(ACTOR, &row.id).await?;
            ("its password was cleared; `falconer account password` sets another one", None)
        }
        SealedKind::RecoveryCode => {
            node.login.remove_recovery_code(ACTOR, &row.id).await?;
            ("removed: the others of the account stay", None)
        }
        SealedKind::Session => {
            node.store.delete_session(&row.id).await?;
            ("removed: that browser signs in again", None)
        }
        SealedKind::Refresh => {
            node.store.delete_refresh(&row.id).await?;
            ("removed: the provider is asked again when this person next signs in", None)
        }
    })
}
