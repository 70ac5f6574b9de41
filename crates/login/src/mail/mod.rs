//! Mail that Falconer sends: codes and links, to one address each. `address.rs` says what is the same address, `message.rs` what is sent, `post.rs` sends behind
//! the back of whoever caused it, `outcome.rs` says what became of it, `smtp.rs` hands it to a server, over
//! what `connection.rs` connects.

mod address;
mod connection;
mod error;
mod message;
mod outcome;
mod post;
mod settings;
mod smtp;

pub use address::{AddressError, MailAddress, domain};
pub use error::MailError;
pub use message::Mail;
pub use outcome::{MailFigures, MailOutcome};
pub use post::Mailer;
pub(crate) use post::Post;
pub use settings::{MailLogin, MailSettings, MailSettingsError};
pub use smtp::SmtpMailer;
