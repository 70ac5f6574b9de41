//! Who reads something, at the revision of the answer.

use std::sync::Arc;

use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::{Authentication, Caller};

/// A caller and the revision that it was evaluated at.
pub(crate) struct Reading {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) caller: Caller,
    pub(crate) now_ms: i64,
}

impl Auth {
    /// Who asks, and what the answer is read from: one revision for both.
    pub(crate) fn reading(&self, authentication: &Authentication) -> Result<Reading, ApiError> {
        let (snapshot, now_ms) = (self.node.directory.load_full(), self.node.clock.now_ms());
        let (caller, _) = self.node.caller_at(&snapshot, authentication, now_ms)?;
        Ok(Reading { snapshot, caller, now_ms })
    }

    /// Who asks, at present: for everything that only reads.
    pub fn caller(&self, authentication: &Authentication) -> Result<Caller, ApiError> {
        self.reading(authentication).map(|reading| reading.caller)
    }
}
