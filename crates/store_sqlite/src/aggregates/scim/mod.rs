//! What directories push: `read` finds users, groups and what is said of somebody, `write` changes them and marks who is to be followed, `history` notes what was pushed.

mod history;
pub(crate) mod read;
pub(crate) mod write;

#[cfg(test)]
mod work;
