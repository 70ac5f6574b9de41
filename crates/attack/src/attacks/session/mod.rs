//! What a browser keeps for the service, and sends along by itself: cookies.

pub(super) mod altered_session;
pub(super) mod cookie_attributes;
pub(super) mod cross_site_session;
pub(super) mod ended_session;
pub(super) mod session_of_elsewhere;
