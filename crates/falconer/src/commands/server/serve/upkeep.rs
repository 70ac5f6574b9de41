//! What a server does beside serving. None of it decides anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use falconer_auth::Clock as _;

use super::lease::Lease;
use super::outage::{Outage, Report};
use crate::node::noted_history;
use crate::system::SystemClock;

/// Takes in what the command line and other servers wrote into the database. `reads_again`: keys have come that were missing, so that all of it is read.
pub async fn follow(
    auth: Arc<falconer_auth::Auth>,
    store: Arc<dyn falconer_store::Store>,
    data_dir: PathBuf,
    reads_again: Arc<AtomicBool>,
) {
    let (mut noted, mut outage, mut reading_again) = (None, Outage::default(), Outage::default());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut notifications = 0;
    loop {
        tokio::select! {
            // Whatever is notified, the rest comes every half second.
            biased;
            _ = tick.tick() => {}
            (count, taken) = auth.follow_notifications(notifications) => {
                notifications = count;
                if let Err(error) = taken {
                    tracing::debug!(%error, "can't look for what another server has notified; the next look will");
                }
                continue;
            }
        }
        if reads_again.swap(false, Ordering::AcqRel) {
            match auth.read_everything_again().await {
                Ok(()) => {
                    if let Some(Report { failures, seconds }) = reading_again.worked(SystemClock.steady_ms()) {
                        tracing::info!(failures, seconds, "everything was read again");
                    }
                }
                Err(error) => {
                    reads_again.store(true, Ordering::Release);
                    if let Some(Report { failures, seconds }) = reading_again.failed(SystemClock.steady_ms()) {
                        tracing::warn!(%error, failures, seconds, "can't read everything again; trying again twice a second");
                    }
                }
            }
        }
        match auth.catch_up().await {
            Ok(_) => {
                if let Some(Report { failures, seconds }) = outage.worked(SystemClock.steady_ms()) {
                    tracing::info!(failures, seconds, "changes of other processes are looked for again");
                }
            }
            Err(error) => {
                if let Some(Report { failures, seconds }) = outage.failed(SystemClock.steady_ms()) {
                    tracing::warn!(%error, failures, seconds, "can't look for changes of other processes; trying again twice a second");
                }
            }
        }
        let directory = auth.directory();
        let here = (directory.history(), directory.revision());
        if noted != Some(here) {
            // A backup from before the epoch that this server follows is another history for it, and none of its own.
            if noted.is_some_and(|(history, _)| history != here.0)
                && let Err(error) = noted_history::begin_another_if_restored(&data_dir, store.as_ref()).await
            {
                tracing::warn!(%error, "can't tell whether a backup was restored; looking twice a second");
                continue;
            }
            noted = Some(here);
            note_history(&auth, &data_dir);
        }
    }
}

/// Notes where the database stands.
pub fn note_history(auth: &falconer_auth::Auth, data_dir: &Path) {
    let directory = auth.directory();
    if let Err(error) = noted_history::note(data_dir, directory.history(), directory.revision()) {
        tracing::warn!(%error, "a restored backup might not be noticed at the next start");
    }
}

/// Writes uses once a minute; removes what ended long ago, clients that asked for it and old rows of the audit once an hour, on the one server that has the lease. None
/// of it decides anything: expiry is checked at use.
pub async fn run_upkeep(
    auth: Arc<falconer_auth::Auth>,
    store: Arc<dyn falconer_store::Store>,
    lease: Arc<Lease>,
    audit_retention_ms: Option<i64>,
) {
    let mut tick = tokio::time::interval(Duration::from_secs(60));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // On a server without the lease too, so that it begins when it has it.
    let mut since_minutes = 60_u64;
    loop {
        tick.tick().await;
        if let Err(error) = auth.flush_uses().await {
            tracing::warn!(%error, "can't note uses; trying again in a minute");
        }
        // Said each minute, on every server.
        let is_right = clock_is_right(&auth);
        if since_minutes >= 60 && lease.is_held() && is_right {
            since_minutes = 0;
            remove_what_has_ended(&auth, store.as_ref(), &lease, audit_retention_ms).await;
        }
        since_minutes = since_minutes.saturating_add(1);
    }
}

/// Step by step, for as long as the lease is held.
async fn remove_what_has_ended(
    auth: &falconer_auth::Auth,
    store: &dyn falconer_store::Store,
    lease: &Lease,
    audit_retention_ms: Option<i64>,
) {
    if let Err(error) = store.prune(auth.now_ms()).await {
        tracing::warn!(%error, "can't remove what has ended; trying again in an hour");
    }
    match in_steps(lease, || async { auth.delete_expired_clients(UPKEEP_STEP as usize).await.map(as_count) }).await {
        Ok(0) => {}
        Ok(deleted) => tracing::info!(deleted, "deleted clients that had asked for it when they expired"),
        Err(error) => tracing::warn!(%error, "can't delete expired clients; trying again in an hour"),
    }
    match in_steps(lease, || async { auth.delete_unused_registrations(UPKEEP_STEP as usize).await.map(as_count) }).await {
        Ok(0) => {}
        Ok(deleted) => tracing::info!(deleted, "deleted applications that had registered themselves and that nobody grants anything"),
        Err(error) => tracing::warn!(%error, "can't delete applications that nobody uses; trying again in an hour"),
    }
    match in_steps(lease, || async { auth.remove_ended_old_tokens(UPKEEP_STEP as usize).await.map(as_count) }).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed old access tokens of clients, which had ended"),
        Err(error) => tracing::warn!(%error, "can't remove old access tokens; trying again in an hour"),
    }
    let Some(retention_ms) = audit_retention_ms else { return };
    let before_ms = auth.now_ms().saturating_sub(retention_ms);
    match in_steps(lease, || async { store.prune_audit(before_ms, UPKEEP_STEP).await }).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed rows of the audit that are older than audit.retention"),
        Err(error) => tracing::warn!(%error, "can't remove old rows of the audit; trying again in an hour"),
    }
    // Ended grants stay for 32 days at least, so that whoever still uses one is told why it does not count.
    let before_ms = auth.now_ms().saturating_sub(retention_ms.max(32 * falconer_auth::DAY_MS));
    match in_steps(lease, || async { store.prune_grants(before_ms, UPKEEP_STEP).await }).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed grants that ended longer ago than audit.retention"),
        Err(error) => tracing::warn!(%error, "can't remove ended grants; trying again in an hour"),
    }
}

/// Asks providers about people who are due. A round that takes long holds up nothing but the next one.
pub async fn refresh_people(auth: Arc<falconer_auth::Auth>, login: Arc<falconer_login::Login>) {
    let words = Words {
        recovered: "identity providers are asked about people again",
        failing: "can't ask identity providers about people; trying again every ten seconds",
    };
    let round = || async {
        let round = login.refresh_due().await?;
        if round != falconer_login::Round::default() {
            let falconer_login::Round { still, ended, disabled, failed } = round;
            tracing::info!(still, ended, disabled, failed, "asked identity providers about people");
        }
        Ok(())
    };
    regularly(&auth, Duration::from_secs(10), words, round).await;
}

/// Tells applications that somebody has signed out, once a second what is due, on every server: each takes what no other one has taken.
pub async fn send_logouts(auth: Arc<falconer_auth::Auth>, grants: Arc<falconer_grants::Grants>, issuer: String) {
    let words = Words {
        recovered: "applications are told again that somebody has signed out",
        failing: "can't look whom to tell that somebody has signed out; trying again every second",
    };
    let round = || async {
        while grants.send_logouts(&issuer).await? > 0 {}
        Ok(())
    };
    regularly(&auth, Duration::from_secs(1), words, round).await;
}

/// What is said of work that is done regularly.
struct Words {
    recovered: &'static str,
    failing: &'static str,
}

/// Does this with such pauses, for as long as the clock fits what was stored. That it does not work is said at once, and then now and then.
async fn regularly<F: Future<Output = Result<(), falconer_login::LoginError>> + Send>(
    auth: &falconer_auth::Auth,
    pause: Duration,
    words: Words,
    mut round: impl FnMut() -> F,
) {
    let mut tick = tokio::time::interval(pause);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut outage = Outage::default();
    loop {
        tick.tick().await;
        if auth.clock_behind_ms().or_else(|| auth.clock_ahead_ms()).is_some() {
            continue;
        }
        match round().await {
            Ok(()) => {
                if let Some(Report { failures, seconds }) = outage.worked(SystemClock.steady_ms()) {
                    tracing::info!(failures, seconds, "{}", words.recovered);
                }
            }
            Err(error) => {
                if let Some(Report { failures, seconds }) = outage.failed(SystemClock.steady_ms()) {
                    tracing::warn!(%error, failures, seconds, "{}", words.failing);
                }
            }
        }
    }
}

/// Whether the clock fits what was stored. Nothing is removed by one that does not.
fn clock_is_right(auth: &falconer_auth::Auth) -> bool {
    let wrong = match (auth.clock_behind_ms(), auth.clock_ahead_ms()) {
        (Some(behind_ms), _) => falconer_auth::ApiError::ClockBehind { behind_ms },
        (None, Some(ahead_ms)) => falconer_auth::ApiError::ClockAhead { ahead_ms },
        (None, None) => return true,
    };
    tracing::error!("{wrong}. Correct the clock of this machine; where it is right, run `falconer clock accept` here");
    false
}

/// How much one step of upkeep takes at most, so that others get their turn at the store in between.
const UPKEEP_STEP: u32 = 1000;

fn as_count(found: usize) -> u64 {
    u64::try_from(found).unwrap_or(u64::MAX)
}

/// Repeats a step until it finds less than it may take, or the lease is lost. Answers what all of them came to.
async fn in_steps<E, F: Future<Output = Result<u64, E>> + Send>(lease: &Lease, mut step: impl FnMut() -> F) -> Result<u64, E> {
    let mut all = 0_u64;
    loop {
        let found = step().await?;
        all = all.saturating_add(found);
        if found < u64::from(UPKEEP_STEP) || !lease.is_held() {
            return Ok(all);
        }
    }
}
