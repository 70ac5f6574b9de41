//! The clock of the server's machine, where what was stored says that it is wrong.

use falconer_store::{Revision, Write};

use crate::change::acting::step_by;
use crate::change::decide::Decision;
use crate::error::ApiError;
use crate::node::Auth;

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";

/// The time that counts from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedTime {
    /// The time of the last change until then, in milliseconds since the epoch; 0: there was none.
    pub before_ms: i64,
    /// What the clock of this node says.
    pub now_ms: i64,
    /// The revision at which it holds.
    pub revision: Revision,
}

impl Auth {
    /// The present time is right, whatever was stored: for an operator who has looked at the clock. Audited. What has ended by the clock that was ahead, and
    /// has not ended by this one, is valid again.
    pub async fn accept_time(&self) -> Result<AcceptedTime, ApiError> {
        let ((before_ms, now_ms), revision) = self
            .decide(|now| {
                let step = step_by(now, ACTOR, "accepted", Vec::new());
                Ok(Decision::Write(step, Write::AcceptTime, (now.snapshot.highest_ms(), now.now_ms)))
            })
            .await?;
        Ok(AcceptedTime { before_ms, now_ms, revision })
    }
}
