//! What the grant page says of a grant beyond which more is asked for.

use falconer_grants::ScopeGroup;

use crate::views::words;

/// The grant that whoever asks has.
#[derive(Clone, Debug, Default)]
pub(crate) struct WidenedGrant {
    /// In the words of who asks: plain text.
    pub reason: String,
    /// "2 minutes ago"
    pub since: String,
    /// Date and time.
    pub asked_at: String,
    /// When the grant was made: "2 hours ago".
    pub granted: String,
    /// When it ends: "in 3 hours".
    pub ends: String,
    /// What the person calls it.
    pub called: Option<String>,
    /// What it is for, in the words of who asked for it.
    pub purpose: Option<String>,
    /// Those that it was derived from, the nearest first.
    pub chain: Vec<AboveGrant>,
    /// What it gives at this moment.
    pub gives: Vec<ScopeGroup>,
    /// Nothing but more time is asked for.
    pub only_time: bool,
}

/// A grant that another one was derived from.
#[derive(Clone, Debug, Default)]
pub(crate) struct AboveGrant {
    /// "2 hours ago"
    pub granted: String,
    pub called: Option<String>,
    pub purpose: Option<String>,
}

impl WidenedGrant {
    pub(crate) fn scopes(&self) -> String {
        words::count(self.gives.iter().map(|group| group.scopes.len()).sum(), "scope")
    }
}
