//! A button counts only a moment after its page was made: the second half of a double click must not press what has just been loaded under it.
//! How long the page was visible, no server knows: a page that lay behind another window is as old as one that was read.

use falconer_login::Session;

use crate::grants::Grants;

/// How old a form must be before its button counts. From the making of the page to the arrival of the form, so the way there and back is part of it.
const LEAST_MS: i64 = 1_000;

/// For the person.
pub(crate) const REASON: &str =
    "The button was pressed at the very moment when this page appeared, so nothing was done. Look at it, and press once more.";

impl Grants {
    /// For a hidden field of a form that is made now.
    pub fn form_time(&self, session: &Session) -> String {
        session.form_time(self.now_ms())
    }

    /// Whether the form may have been pressed unseen. One that carries no time of ours may, too.
    pub(crate) fn is_too_soon(&self, session: &Session, form_time: &str) -> bool {
        session.form_made_ms(form_time).is_none_or(|made_ms| self.now_ms().saturating_sub(made_ms) < LEAST_MS)
    }
}
