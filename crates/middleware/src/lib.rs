//! Verification for third-party services.
