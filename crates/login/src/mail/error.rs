//! Why a mail was not sent.

use thiserror::Error;

use crate::tls::TlsProblem;

/// Why a mail was not sent. Texts are for the log and for operators: no address, nothing of the mail, nothing of the password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MailError {
    /// Nobody listens there, or the name is unknown.
    #[error("the mail server can't be reached: {0}")]
    Unreachable(String),
    /// The time was over.
    #[error("the mail server did not finish within {0} s")]
    TooSlow(u64),
    /// The server offers no TLS, and may not be spoken to without it.
    #[error("the mail server offers no STARTTLS, and without TLS nothing is sent but to this machine itself")]
    NoTls,
    /// TLS failed.
    #[error("TLS with the mail server failed: {0}")]
    Tls(TlsProblem),
    /// The server takes no passwords of a kind that is known here.
    #[error("the mail server offers no AUTH of the kinds PLAIN and LOGIN")]
    NoAuth,
    /// The server does not take user and password.
    #[error("the mail server refuses user and password with status {0}")]
    Refused(u16),
    /// The server said no.
    #[error("the mail server refuses {what} with status {status}")]
    Status {
        /// The command.
        what: &'static str,
        /// SMTP's.
        status: u16,
    },
    /// It broke off, or said nothing more, while it took the mail: it may have taken it.
    #[error("the mail server broke off while it took the mail, and may have taken it: {0}")]
    Unfinished(String),
    /// It is no SMTP.
    #[error("what answers is no mail server: {0}")]
    Malformed(String),
}
