//! What is made of the present credentials without asking any server: temporary credentials, and URLs with a signature in them.

pub mod sign_url;
pub mod temporary;
