//! Wrong passwords are counted so that nobody is locked out by others.
//!
//! Failures count, successes do not. A browser from which the person has signed in before has a count of its own, and only that one. Elsewhere the
//! count is that of account and network. Two wider counts stop guessing from many places or for many names, and pass over networks from which
//! this person has signed in before.
//!
//! A new password and `unlock` begin new counts: both stand in the names of the counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use falconer_auth::{ApiError, By, DAY_MS, Revision};
use falconer_store::ATTEMPTS_AHEAD_MS;

use crate::accounts::queue::Asker;
use crate::error::LoginError;
use crate::fingerprint::{fingerprint, hash_of_token};
use crate::in_a_task::in_a_task;
use crate::login::Login;
use crate::sessions::running_attempts::{Attempt, Note};

/// So long a browser or a network is known after a sign-in.
const KNOWN_MS: i64 = 60 * DAY_MS;
/// A sign-in after this time makes it known for longer.
const RENEW_MS: i64 = DAY_MS;

/// So many times what a network may do may all do that lie around it: several people share these, but not thousands.
pub(crate) const AROUND: u32 = 10;

/// Where somebody signs in.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The client's address, behind trusted proxies.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub user_agent: &'a str,
    /// What the browser has kept from an earlier visit ([`crate::AnonymousForm::cookie_value`]).
    pub browser: Option<&'a str>,
}

/// What an attempt counts against.
pub(crate) struct Counts {
    /// Names and most failures within the window. The first is the narrowest.
    pub(super) limits: Vec<(String, u32)>,
    /// The names that a right password clears.
    cleared: Vec<String>,
    /// What becomes known with a right password.
    known_keys: Vec<String>,
    pub(crate) asker: Asker,
}

impl Counts {
    /// One alone, which no right answer clears.
    pub(crate) fn one(limit: (String, u32)) -> Counts {
        let asker = Asker { shares: vec![limit.0.clone()], known: false };
        Counts { limits: vec![limit], cleared: Vec::new(), known_keys: Vec::new(), asker }
    }
}

impl Login {
    /// The counts of somebody who is not signed in. `name` is in its normal form; `password_hash` is that of its account, if there is one.
    pub(crate) async fn counts(
        &self,
        name: Option<&str>,
        password_hash: Option<&str>,
        visitor: &Visitor<'_>,
    ) -> Result<Counts, LoginError> {
        let network = network(visitor.address);
        let by_network = self.by_network("sign-in", visitor.address);
        let Some(name) = name else {
            let asker = Asker { shares: vec![network], known: false };
            return Ok(Counts { limits: by_network.to_vec(), cleared: Vec::new(), known_keys: Vec::new(), asker });
        };
        let browser = visitor.browser.map(|value| hash_of_token("browser", value));
        let known_keys = known_keys(name, visitor);
        let prefix = self.account_counts(name, password_hash).await?;
        let mut are_known = [false; 2];
        for (is_known, key) in are_known.iter_mut().zip(&known_keys) {
            *is_known = self.is_known(key, KNOWN_MS).await?;
        }
        let [network_is_known, browser_is_known] = are_known;
        let narrow = match browser.filter(|_| browser_is_known) {
            Some(browser) => format!("{prefix}/browser/{browser}"),
            None => format!("{prefix}/network/{network}"),
        };
        let mut limits = vec![(narrow.clone(), self.settings.attempts_by_account)];
        let mut cleared = vec![narrow.clone()];
        let known = browser_is_known || network_is_known;
        if !known {
            limits.push((prefix.clone(), self.settings.attempts_by_strangers));
            limits.extend(by_network);
            cleared.push(prefix);
        }
        let shares = if known { vec![narrow] } else { vec![network, format!("account {name}")] };
        Ok(Counts { limits, cleared, known_keys, asker: Asker { shares, known } })
    }

    /// What one network fails at, and a wider one in which somebody may have many of them.
    pub(crate) fn by_network(&self, what: &str, address: IpAddr) -> [(String, u32); 2] {
        let most = self.settings.attempts_by_network;
        let around = (format!("{what}/around/{}", network_around(address)), most.saturating_mul(AROUND));
        [(format!("{what}/network/{}", network(address)), most), around]
    }

    /// The counts of somebody who is signed in and proves once more to know the password.
    pub(crate) async fn counts_of_session(&self, name: &str, password_hash: Option<&str>, session: &str) -> Result<Counts, LoginError> {
        let key = format!("{}/session/{session}", self.account_counts(name, password_hash).await?);
        let asker = Asker { shares: vec![key.clone()], known: true };
        let limits = vec![(key.clone(), self.settings.attempts_by_account)];
        Ok(Counts { limits, cleared: vec![key], known_keys: Vec::new(), asker })
    }

    /// Begins an attempt, unless there were too many failures.
    pub(crate) async fn begin_attempt(&self, counts: Counts) -> Result<Attempt, LoginError> {
        let full_seconds = counts.limits.iter().filter_map(|(key, _)| self.full_counts.wait_seconds(key, self.now_ms())).max();
        if let Some(retry_after_seconds) = full_seconds {
            return Err(LoginError::Throttled { retry_after_seconds });
        }
        self.note_abandoned().await?;
        let attempt = self.running_attempts.attempt(counts, self.note());
        let mut wait_seconds = None;
        {
            let mut looks = Vec::with_capacity(attempt.moving.len());
            for (_, moving) in &attempt.moving {
                looks.push(moving.read().await);
            }
            // Whoever began later does not count: else many at once were all refused.
            for ((key, most), rank) in attempt.counts.limits.iter().zip(attempt.begin()) {
                let failures = self.failures(key, self.settings.attempts_window_ms).await?;
                if failures.saturating_add(rank) > *most {
                    wait_seconds = wait_seconds.max(Some(self.wait_seconds(key, failures, *most).await?));
                }
            }
        }
        match wait_seconds {
            None => Ok(attempt),
            Some(retry_after_seconds) => Err(LoginError::Throttled { retry_after_seconds }),
        }
    }

    /// Counts the attempts of those who did not wait for their end as failures. Whoever begins one has the turn, and a task the work: it is done once, although this
    /// caller gives up too.
    async fn note_abandoned(&self) -> Result<(), LoginError> {
        let Some(noting) = self.running_attempts.note_abandoned().await else { return Ok(()) };
        in_a_task(noting.run(self.note())).await?.map_err(|error| self.store_error(error))
    }

    /// Counts a failure, once. A task notes it, which nobody who gives up waiting stops half way.
    pub(crate) async fn note_failure(&self, attempt: Attempt) -> Result<(), LoginError> {
        in_a_task(attempt.note(self.note())).await?.map_err(|error| self.store_error(error))
    }

    pub(crate) fn note(&self) -> Note {
        Note { store: Arc::clone(&self.store), clock: Arc::clone(&self.clock), window_ms: self.settings.attempts_window_ms }
    }

    /// Forgets the failures of whoever has just been right, and knows the place from now on.
    pub(crate) async fn note_success(&self, attempt: &Attempt) -> Result<(), LoginError> {
        for key in &attempt.counts.cleared {
            self.clear_count(key).await?;
        }
        self.note_known(&attempt.counts.known_keys).await
    }

    /// Knows the place from now on where somebody has just signed in to this account without a password. Failures stay counted.
    pub(crate) async fn know_place(&self, name: &str, visitor: &Visitor<'_>) -> Result<(), LoginError> {
        self.note_known(&known_keys(name, visitor)).await?;
        match self.account_record(name).await? {
            Some(account) => self.know_forgotten_place(&account, visitor).await,
            None => Ok(()),
        }
    }

    /// Knows these places from now on.
    pub(crate) async fn note_known(&self, keys: &[String]) -> Result<(), LoginError> {
        for key in keys {
            if !self.is_known(key, RENEW_MS).await? {
                self.clear_count(key).await?;
                let noted = self.store.note_attempt(key, self.now_ms(), KNOWN_MS).await;
                noted.map_err(|error| self.store_error(error))?;
            }
        }
        Ok(())
    }

    /// Lets everybody try again to sign in with this account, wherever wrong passwords came from, and to ask for a mail for its forgotten password.
    pub async fn unlock_account(&self, by: &str, name: &str) -> Result<(), LoginError> {
        self.unlock_account_by(By::Checked(by), name).await?;
        Ok(())
    }

    /// The same for somebody whose scopes are looked at when it is written.
    pub(crate) async fn unlock_account_by(&self, by: By<'_>, name: &str) -> Result<Revision, ApiError> {
        // Nothing is let in without its row in the audit. Where the second part fails, the operator is told so and does it again.
        let revision = self.change_account_by(by, "unlocked", name, |_| Ok(())).await?;
        let begun = async {
            self.begin_new_counts(name).await?;
            match self.account_record(name).await? {
                Some(account) => self.begin_new_forgotten_counts(&account).await,
                None => Ok(()),
            }
        };
        begun.await.map_err(LoginError::after_a_change)?;
        Ok(revision)
    }

    /// From now on failures for this name are counted anew: counts have another name for as long as the old ones could count.
    pub(crate) async fn begin_new_counts(&self, name: &str) -> Result<(), LoginError> {
        let noted = self.store.note_attempt(&unlocks(name), self.now_ms(), self.settings.attempts_window_ms).await;
        noted.map(|_| ()).map_err(|error| self.store_error(error))
    }

    /// The beginning of the names of an account's counts. Names that nobody has are counted the same way.
    async fn account_counts(&self, name: &str, password_hash: Option<&str>) -> Result<String, LoginError> {
        let password = password_hash.unwrap_or_default();
        let (at_ms, times) = self.newest(&unlocks(name), self.settings.attempts_window_ms).await?;
        Ok(format!("sign-in/account/{name}/{}", fingerprint(["count", password, &format!("{at_ms}.{times}")])))
    }

    /// When the newest entry of the window was made, milliseconds since 1970, and how many were made then; zeros where there is none. The number of all of them
    /// would go down again when the first leaves the window, and lead back to a name under which failures still count.
    pub(crate) async fn newest(&self, key: &str, window_ms: i64) -> Result<(i64, u32), LoginError> {
        let now_ms = self.now_ms();
        let within = async |ms: i64| self.store.attempts(key, now_ms, ms).await.map_err(|error| self.read_error(error));
        if within(window_ms).await? == 0 {
            return Ok((0, 0));
        }
        // It is in the longer time and not in the shorter one. What a clock that is ahead has noted is in none at all.
        let (mut without, mut with) = (-1 - ATTEMPTS_AHEAD_MS, window_ms);
        while with - without > 1 {
            let middle = without + (with - without) / 2;
            if within(middle).await? > 0 { with = middle } else { without = middle }
        }
        Ok((now_ms.saturating_sub(with), within(with).await?))
    }

    async fn failures(&self, key: &str, window_ms: i64) -> Result<u32, LoginError> {
        let failures = self.store.attempts(key, self.now_ms(), window_ms).await;
        failures.map_err(|error| self.read_error(error))
    }

    async fn is_known(&self, key: &str, for_ms: i64) -> Result<bool, LoginError> {
        Ok(self.failures(key, for_ms).await? > 0)
    }

    /// Whether somebody has signed in from there.
    pub(crate) async fn is_known_place(&self, key: &str) -> Result<bool, LoginError> {
        self.is_known(key, KNOWN_MS).await
    }

    async fn clear_count(&self, key: &str) -> Result<(), LoginError> {
        self.full_counts.forget(key);
        self.store.clear_attempts(key).await.map_err(|error| self.store_error(error))
    }

    /// Until so many failures are out of the window that one more attempt is let in.
    async fn wait_seconds(&self, key: &str, failures: u32, most: u32) -> Result<u64, LoginError> {
        let window_ms = self.settings.attempts_window_ms;
        if failures < most {
            // Others are trying at this moment.
            return Ok(1);
        }
        let (mut too_short, mut enough) = (0, window_ms / 1000 + 1);
        while enough - too_short > 1 {
            let middle = too_short + (enough - too_short) / 2;
            if self.failures(key, (window_ms - middle * 1000).max(0)).await? < most { enough = middle } else { too_short = middle }
        }
        self.full_counts.note(key, self.now_ms(), enough);
        Ok(u64::try_from(enough).unwrap_or(1))
    }
}

/// The names under which this network and, behind it, this browser are known for an account.
fn known_keys(name: &str, visitor: &Visitor<'_>) -> Vec<String> {
    let browser = visitor.browser.map(|value| format!("sign-in/known/{name}/browser/{}", hash_of_token("browser", value)));
    std::iter::once(format!("sign-in/known/{name}/network/{}", network(visitor.address))).chain(browser).collect()
}

fn unlocks(name: &str) -> String {
    format!("sign-in/unlocked/{name}")
}

/// What somebody can have many addresses of, as text: whoever is given addresses of IPv6 is given up to a /48.
pub fn network_around(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// What is counted as one place, as text: one household or machine has a whole /64 of IPv6 addresses.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}
