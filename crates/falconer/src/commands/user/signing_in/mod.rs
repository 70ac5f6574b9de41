//! Signing in and out: through the browser, by the code of a device, or with lines for a shell.

mod code;
mod device;
pub mod grant_page;
mod loopback;
pub mod oauth;
mod pasted;
pub mod signin;
pub mod signout;
mod surroundings;
