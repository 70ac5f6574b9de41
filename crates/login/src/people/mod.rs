//! People: the person that an identity stands for, the way an identity is written inside of clientIds, and what ends when a person does.

mod end;
pub mod identity;
pub(crate) mod person;
