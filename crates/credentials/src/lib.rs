//! Hawk and temporary credentials.
