//! A button counts only a moment after its page appeared: the second half of a double click must not press what has just been loaded under it.
//!
//! The server knows when it made the page. How long the page was visible since then only the browser knows, and a script of the page tells it. Where no script
//! runs, what is new for this site is shown once more, by itself ([`crate::consent::news`]).

use falconer_login::Session;

use crate::grants::Grants;

/// How old a form must be before its button counts, and how long its page must have been visible. From the making of the page to the arrival of the form,
/// so the way there and back is part of it.
const LEAST_MS: i64 = 1_000;

/// For the person.
pub(crate) const REASON: &str =
    "The button was pressed at the very moment when this page appeared, so nothing was done. Look at it, and press once more.";

impl Grants {
    /// For a hidden field of a form that is made now.
    pub fn form_time(&self, session: &Session) -> String {
        session.form_time(self.now_ms())
    }

    /// Whether the form may have been pressed unseen. One that carries no time of ours may, too. `visible_ms` is what the page's script says, where one ran.
    pub(crate) fn is_too_soon(&self, session: &Session, form_time: &str, visible_ms: Option<i64>) -> bool {
        let is_new = session.form_made_ms(form_time).is_none_or(|made_ms| self.now_ms().saturating_sub(made_ms) < LEAST_MS);
        is_new || visible_ms.is_some_and(|visible_ms| visible_ms < LEAST_MS)
    }
}
