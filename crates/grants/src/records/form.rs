//! Which form it is that comes back from a browser: what was drawn for it, or for a request that waits, and whether another form has answered that.

use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::error::GrantError;

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
