//! People: the person that an identity belongs to, linking another one and undoing it, how an operator does that, what administrators see and change, the way an identity is written inside of
//! clientIds, what ends when a person does, and the mail
//! about what they granted.

pub(crate) mod administer;
mod end;
pub(crate) mod granted_mail;
pub mod identity;
pub(crate) mod link;
pub(crate) mod manage;
pub(crate) mod person;
