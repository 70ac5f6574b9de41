//! One mail.

use zeroize::Zeroizing;

use super::address::MailAddress;

/// A mail to one person. Plain text: nothing in it is loaded, and no link looks like another one.
pub struct Mail {
    /// The left half of its Message-ID, 22 characters of `A-Za-z0-9_-`: what the log calls it.
    pub id: String,
    /// To whom.
    pub to: MailAddress,
    /// One line.
    pub subject: String,
    /// Lines that end with `\n`. It may hold a code or a link.
    pub text: Zeroizing<String>,
    /// When it is sent, milliseconds since 1970.
    pub at_ms: i64,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}
