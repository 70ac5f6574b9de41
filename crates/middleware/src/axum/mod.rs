//! What axum adds: the path of a route and its scopes said together ([`Guard::route`](crate::Guard::route)), and [`Caller`](crate::Caller) as an
//! extractor.

mod caller;
mod metadata;
mod route;
