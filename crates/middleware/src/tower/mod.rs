//! The verifier as layers of tower: [`Guard`] holds the settings of a service, [`Require`] is the layer of a route, [`Cors`] lets pages of other
//! origins call. Any service over `http::Request` and `http::Response` can mount them, if its bodies can be made of bytes.

mod body;
mod cors;
mod guard;
mod layer;
mod parts;
mod response;

pub use cors::{Cors, CorsService};
pub use guard::Guard;
pub use layer::{Require, Required};
pub(crate) use response::refused;
