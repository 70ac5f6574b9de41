//! Use cases of the auth API.
