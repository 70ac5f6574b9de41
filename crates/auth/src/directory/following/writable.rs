//! What the store has said of whether anything can be changed.

use falconer_store::StoreError;
use tokio::sync::{Mutex, watch};

pub(crate) type Answer = Result<(), StoreError>;

/// What the store has said, and what it is being asked.
#[derive(Default)]
pub(crate) struct Writable(pub(crate) Mutex<StoreAnswers>);

#[derive(Default)]
pub(crate) struct StoreAnswers {
    /// The last answer, and when it came.
    pub(crate) last: Option<(i64, Answer)>,
    /// The question that nobody has an answer to yet: whoever comes meanwhile waits for that one.
    pub(crate) running: Option<watch::Receiver<Option<Answer>>>,
}
