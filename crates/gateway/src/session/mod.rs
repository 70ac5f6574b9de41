//! A session of a browser on the protected host. It is a grant: the credentials that the person granted lie sealed in a cookie of the protected host, and sign one
//! question for each request of the browser. `cookie.rs` seals and opens, `sign_in.rs` is the way to Falconer and back, `request.rs` says what a browser may send.

mod cookie;
mod request;
mod sign_in;

pub(crate) use cookie::{Cookies, Opened};
pub(crate) use request::{is_own, shows_page, wants_page};
pub(crate) use sign_in::{CallbackOutcome, GrantPageRequest, begin, came_back, is_path_here, sign_in_path};
