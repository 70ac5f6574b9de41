//! What the operator configures of this crate.

use std::sync::Arc;

use falconer_auth::{DAY_MS, HOUR_MS, MINUTE_MS, OnFatal};

use crate::mail::Mailer;
use crate::passkeys::relying_party::RelyingParty;
use crate::providers::provider::{ConfiguredDirectory, ConfiguredProvider};
use crate::scim::directory::ScimSettings;
use crate::sessions::forms::FormKeys;

/// Everything that [`crate::Login::open`] needs besides auth, the store, the clock and randomness.
#[derive(Clone)]
pub struct LoginSettings {
    /// Whom passkeys are made for; `None`: there are none. Default none.
    pub relying_party: Option<RelyingParty>,
    /// Where else people sign in, in the order of the sign-in page.
    pub providers: Vec<ConfiguredProvider>,
    /// What adds to what providers say.
    pub directories: Vec<ConfiguredDirectory>,
    /// What hands mails to a server. `None`: no mail is sent.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Which directories push over SCIM.
    pub scim: Vec<ScimSettings>,
    /// What the first administrator gets besides `auth:*`. May not cover `assume:`.
    pub administrator_scopes: Vec<String>,
    /// What hashing one password costs.
    pub password_cost: PasswordCost,
    /// How many passwords are hashed at the same time. Default 2.
    pub password_workers: usize,
    /// How many more may wait; beyond it whoever has the latest turn is told to try again. Default 256.
    pub password_queue: usize,
    /// A session ends this long after sign-in. Default 7 days.
    pub session_absolute_ms: i64,
    /// A session ends this long after its last use. Default 24 hours.
    pub session_idle_ms: i64,
    /// So long after a sign-in a person changes how they sign in without signing in again. Default 15 minutes.
    pub fresh_ms: i64,
    /// Wrong passwords for one account from one network, or from one browser that is known, within the window. Default 10.
    pub attempts_by_account: u32,
    /// Wrong passwords for one account from all networks and browsers together that are not known for it, within the window. Default 100.
    pub attempts_by_strangers: u32,
    /// Wrong passwords from one network (an IPv4 address, or an IPv6 /64) for accounts that it is not known for, within the window. Default 100.
    pub attempts_by_network: u32,
    /// The window. Default 15 minutes.
    pub attempts_window_ms: i64,
    /// Makes forms hold across restarts and nodes; `None`: a key of this process.
    pub form_keys: Option<FormKeys>,
    /// Ends the process when the store lost its footing; the default does nothing.
    pub on_fatal: OnFatal,
}

/// Parameters of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 19 MiB, two passes, one lane: OWASP's recommendation for argon2id.
    fn default() -> Self {
        PasswordCost { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Default for LoginSettings {
    fn default() -> Self {
        LoginSettings {
            relying_party: None,
            providers: Vec::new(),
            directories: Vec::new(),
            mailer: None,
            scim: Vec::new(),
            administrator_scopes: Vec::new(),
            password_cost: PasswordCost::default(),
            password_workers: 2,
            password_queue: 256,
            session_absolute_ms: 7 * DAY_MS,
            session_idle_ms: 24 * HOUR_MS,
            fresh_ms: 15 * MINUTE_MS,
            attempts_by_account: 10,
            attempts_by_strangers: 100,
            attempts_by_network: 100,
            attempts_window_ms: 15 * MINUTE_MS,
            form_keys: None,
            on_fatal: Arc::new(|_| ()),
        }
    }
}
