//! Devices without a browser, or without a keyboard (RFC 8628): a device asks, a person types its short code elsewhere and answers, the device comes for the answer.

pub(crate) mod answer;
pub(crate) mod authorization;
pub(crate) mod poll;
pub(crate) mod user_code;
