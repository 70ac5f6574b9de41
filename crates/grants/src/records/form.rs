//! Which form it is that comes back from a browser: what was drawn for it, or for a request that waits, and whether another form has answered that; and what is written in it.

use falconer_auth::is_unseen;

use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::error::GrantError;
use crate::records::grant::{Choices, LONGEST_NAME};

pub(crate) fn check_nonce(nonce: &str) -> Result<(), GrantError> {
    if may_be_ours(nonce) { Ok(()) } else { Err(GrantError::BadForm("The form has no nonce of ours.".to_owned())) }
}

/// Whether it looks like what is drawn here. Nothing else is looked up.
pub(crate) fn may_be_ours(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (16..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Somebody who waits has an answer already.
pub(crate) fn answered_before(request: &GrantRequest) -> Option<GrantError> {
    match &request.delivery {
        Delivery::Credentials { .. } | Delivery::OAuth(_) => None,
        Delivery::Device(to) => to.answered.then_some(GrantError::DeviceGone),
        Delivery::Widening(to) => to.answered.then_some(GrantError::RequestGone),
    }
}

/// Why the grant can't be called so.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    if name.chars().count() > LONGEST_NAME {
        return Some(format!("Nothing was granted yet: the name of the grant has at most {LONGEST_NAME} characters."));
    }
    name.chars().any(is_unseen).then(|| "Nothing was granted yet: the name of the grant is a line of visible text.".to_owned())
}

/// White space around it does not count, nor do capital letters; a port that is shown may be typed.
pub(crate) fn host_is_typed(request: &GrantRequest, choices: &Choices) -> bool {
    let typed = choices.typed_host.as_deref().unwrap_or_default().trim();
    let target = request.site();
    typed.eq_ignore_ascii_case(target.host()) || typed.eq_ignore_ascii_case(&target.host_and_port())
}
