//! A clock that does not go while real things take their time.

use std::sync::mpsc::{Sender, channel};

/// The paused clock of the runtime stands until it is moved, or until this is dropped: while a blocking task is under way it goes on to no deadline by itself.
/// What a real server takes to answer is no time then, on whatever machine.
pub struct StandingClock {
    _ends_with_it: Sender<()>,
}

impl StandingClock {
    /// Of a clock that is paused.
    pub fn hold() -> StandingClock {
        let (ends_with_it, end) = channel();
        tokio::task::spawn_blocking(move || end.recv());
        StandingClock { _ends_with_it: ends_with_it }
    }
}
