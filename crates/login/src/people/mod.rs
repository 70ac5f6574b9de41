//! People: the person that an identity belongs to, linking another one and undoing it, how an operator does that, what administrators see and change, the way an identity is written inside of
//! clientIds, and what ends when a person does.

pub(crate) mod administer;
mod end;
pub mod identity;
pub(crate) mod link;
pub(crate) mod manage;
pub(crate) mod person;
