//! What the operator configures of this crate.

use falconer_auth::DAY_MS;

/// What one password hash costs. More is slower for everybody, guessers most of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB; at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over that memory; at least 1.
    pub passes: u32,
    /// Lanes; at least 1. They are computed one after the other.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 19 MiB, two passes, one lane: the least that is recommended for argon2id (OWASP Password Storage Cheat Sheet).
    fn default() -> Self {
        PasswordCost { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl PasswordCost {
    /// As cheap as argon2id gets: for tests only.
    pub const CHEAPEST: PasswordCost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
}

/// A service that the operator knows: the grant page shows it by name, and nobody has to type its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredTarget {
    /// For people, such as `Notes`.
    pub name: String,
    /// Exact targets: scheme, host, port and path.
    pub targets: Vec<String>,
}

/// Everything that [`crate::Login::open`] needs besides the use cases, the store, the clock and randomness.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// The longest grant, in milliseconds; at most 31 days.
    pub max_ttl_ms: i64,
    /// Refuse targets that are not registered.
    pub registered_only: bool,
    /// The registered targets.
    pub targets: Vec<RegisteredTarget>,
    /// What the first administrator gets besides `auth:*`.
    pub setup_scopes: Vec<String>,
    /// The cost of new password hashes.
    pub password_cost: PasswordCost,
    /// How many passwords are hashed at once; each takes a thread and [`PasswordCost::memory_kib`].
    pub password_workers: usize,
    /// How many more may wait for that; beyond it people are told to try again.
    pub password_queue: usize,
}

impl LoginSettings {
    /// As on a fresh install: grants of up to 31 days for any target, no registered targets.
    pub fn new() -> LoginSettings {
        LoginSettings {
            max_ttl_ms: 31 * DAY_MS,
            registered_only: false,
            targets: Vec::new(),
            setup_scopes: Vec::new(),
            password_cost: PasswordCost::default(),
            password_workers: 2,
            password_queue: 30,
        }
    }
}

impl Default for LoginSettings {
    fn default() -> Self {
        LoginSettings::new()
    }
}
