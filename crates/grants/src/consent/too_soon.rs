//! A button counts only a moment after its page appeared: the second half of a double click must not press what has just been loaded under it.
//!
//! The server knows when it made the page. How long the page was visible since then only the browser knows, and a script of the page tells it. Where no script
//! runs, what is new for this site is shown once more, by itself ([`crate::consent::news`]).

use falconer_login::{LEAST_FORM_MS, Session};

use crate::grants::Grants;

impl Grants {
    /// Whether the form may have been pressed unseen. `visible_ms` is what the page's script says, where one ran.
    pub(crate) fn is_too_soon(&self, session: &Session, form_time: &str, visible_ms: Option<i64>) -> bool {
        self.login.is_too_soon(session, form_time) || visible_ms.is_some_and(|visible_ms| visible_ms < LEAST_FORM_MS)
    }
}
