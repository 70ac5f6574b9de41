//! Monitoring.

use serde::{Deserialize, Serialize};

/// The answer of ping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ping {
    /// Always true.
    pub alive: bool,
    /// Seconds since the process started.
    pub uptime: f64,
}

/// Which build answers; unknown parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Version of the release.
    pub version: String,
    /// Commit that it was built from.
    pub commit: String,
    /// Where its source is.
    pub source: String,
    /// Which build.
    pub build: String,
}
