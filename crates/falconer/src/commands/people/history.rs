//! What happened to a person, a page at a time: a history may be longer than what fits into memory.

use anyhow::{Result, bail};
use falconer_auth::{HistoryEntry, PageQuery, Start};
use falconer_client::Client;
use falconer_wire::PersonHistoryEntry;

use crate::node::Node;
use crate::output;

/// So many changes are read at once.
const PAGE: u64 = 1000;

/// From the data directory on this machine.
pub async fn here(node: &Node, identity: &str, as_json: bool) -> Result<()> {
    let (mut start, mut printed) = (Start::Offset(0), 0);
    loop {
        let page = node.auth.person_history_here(identity, PageQuery { start, limit: PAGE }).await?;
        printed += page.items.len();
        page.items.into_iter().try_for_each(|entry| print(&shown(entry), as_json))?;
        match page.next {
            Some(next) => start = next,
            None => return known(identity, printed),
        }
    }
}

/// From a server.
pub async fn there(client: &Client, identity: &str, as_json: bool) -> Result<()> {
    let (mut token, mut printed) = (None, 0);
    loop {
        let page = client.person_history(identity, token.as_deref()).await?;
        printed += page.history.len();
        page.history.iter().try_for_each(|entry| print(entry, as_json))?;
        match page.continuation_token {
            Some(next) => token = Some(next),
            None => return known(identity, printed),
        }
    }
}

fn known(identity: &str, printed: usize) -> Result<()> {
    match printed {
        0 => bail!("nothing is known of {identity}"),
        _ => Ok(()),
    }
}

fn shown(entry: HistoryEntry) -> PersonHistoryEntry {
    PersonHistoryEntry {
        by: entry.client_id,
        action: entry.action_type,
        entity_type: entry.entity_type,
        entity_id: entry.entity_id,
        created: output::time(entry.created_ms),
        detail: entry.detail,
    }
}

/// A line each; with --json an object a line.
fn print(entry: &PersonHistoryEntry, as_json: bool) -> Result<()> {
    if as_json {
        return output::line(&serde_json::to_string(entry)?);
    }
    output::line(&format!("{}  {} {} {}, by {}", entry.created, entry.entity_type, entry.entity_id, entry.action, entry.by))
}
