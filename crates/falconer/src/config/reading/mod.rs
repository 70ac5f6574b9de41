//! How the configuration is read: the layers and which of them wins, and what is said of what does not fit.

mod environment;
mod layers;
pub mod misfit;
mod near;
