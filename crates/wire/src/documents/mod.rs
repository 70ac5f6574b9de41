//! What is published about both APIs: schemas, references, OpenAPI documents and their examples, all made of the table.

pub mod examples;
pub mod openapi;
mod outcomes;
pub mod published;
pub mod schemas;
