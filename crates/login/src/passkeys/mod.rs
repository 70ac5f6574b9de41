//! Passkeys (Web Authentication, level 3): a person's authenticator makes a pair of keys for this server, and signs a challenge with it at each sign-in. What an
//! authenticator and a browser say is checked here, over `ring` (ADR 0160); registering, signing in, renaming and removing are the use cases.

mod assertion;
mod authenticator_data;
pub(crate) mod ceremony;
mod client_data;
pub(crate) mod error;
mod key;
mod manage;
mod register;
pub(crate) mod relying_party;

pub use assertion::{Assertion, SignInOffer};
pub use manage::PasskeyView;
pub use register::{NewPasskey, RegistrationOffer};

/// Bytes of a form's field, in base64url without padding. `what` is the field, `most` how many bytes it may hold.
fn decode(what: &'static str, text: &str, most: usize) -> Result<Vec<u8>, error::PasskeyError> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    // Four characters hold three bytes.
    if text.len() > most.saturating_mul(4).div_ceil(3) {
        return Err(error::PasskeyError::TooLarge(what));
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|error| error::malformed(what, error))
}
