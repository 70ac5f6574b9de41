//! Settings that are taken from changed files while the server runs. All of them are checked first, as at a start: where something is wrong, nothing changes.

use std::sync::Arc;

use anyhow::Result;
use falconer_grants::Grants;

use super::listen::auth_origin;
use super::run::Options;
use super::shutdown::Rereads;
use crate::config::Config;
use crate::log;
use crate::node::{Node, grant_settings};

/// Besides `log.level`.
const TAKEN: [&str; 4] = ["grant", "target", "scope", "offline_service"];

/// What can be changed, and how it was.
pub struct Reread {
    /// From which the settings are read.
    pub options: Options,
    /// As the server runs with them.
    pub config: Config,
    /// The public origin, which stays.
    pub origin: falconer_web::PublicOrigin,
    /// The level of the log.
    pub level: log::Level,
    /// Targets, and what holds for all grants.
    pub grants: Arc<Grants>,
}

/// What became of it.
struct RereadOutcome {
    changed: Vec<&'static str>,
    at_a_start: Vec<&'static str>,
}

impl Reread {
    /// At each signal, for as long as the server runs.
    pub async fn serve(mut self, mut rereads: Rereads) {
        loop {
            rereads.next().await;
            match self.take().await {
                Ok(RereadOutcome { changed, at_a_start }) => {
                    let changed = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
                    tracing::info!(%changed, "the settings were read again");
                    if !at_a_start.is_empty() {
                        let settings = at_a_start.join(", ");
                        tracing::warn!(%settings, "changed settings that count at the next start only: until then this server goes on with those of before");
                    }
                }
                Err(error) => tracing::error!("the settings stay as they were: {error:#}"),
            }
        }
    }

    async fn take(&mut self) -> Result<RereadOutcome> {
        let new = self.options.config()?;
        Node::open_in_memory(&new, auth_origin(&self.origin)?).await?;
        let differences = self.config.differences(&new);
        let differs = |name: &str| differences.contains(&name);
        let mut changed = Vec::new();
        if TAKEN.into_iter().any(differs) {
            // It checks its settings before it takes any.
            self.grants.reconfigure(grant_settings(&new)?)?;
            changed.extend(TAKEN.into_iter().filter(|name| differs(name)));
            (self.config.grant, self.config.target, self.config.scope) = (new.grant.clone(), new.target.clone(), new.scope.clone());
            self.config.offline_service = new.offline_service.clone();
        }
        if self.config.log.level != new.log.level {
            self.level.set(&new.log.level)?;
            self.config.log.level.clone_from(&new.log.level);
            changed.push("log.level");
        }
        let named = |name| if name == "log" { "log.format" } else { name };
        Ok(RereadOutcome { changed, at_a_start: self.config.differences(&new).into_iter().map(named).collect() })
    }
}
