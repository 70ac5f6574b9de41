//! What a device without a browser asks for, until a person has answered (RFC 8628).

/// A device's request. It decides nothing by itself: what the device gets is the grant that a person makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequestRecord {
    /// A hash of the code that the device keeps; the code itself is stored nowhere.
    pub device_hash: String,
    /// A hash of the short code that the person types.
    pub user_hash: String,
    /// The id of the application that asked.
    pub application: String,
    /// The scopes that were asked for. Empty: all that the application may ask for.
    pub scopes: Vec<String>,
    /// The application wants to know who the person is.
    pub identity: bool,
    /// The address from which the device asked.
    pub address: String,
    /// When it asked, milliseconds since 1970.
    pub created_ms: i64,
    /// From then on both codes are worth nothing, milliseconds since 1970.
    pub expires_ms: i64,
    /// So long the device has to wait between two polls. Grows with each poll that comes too soon.
    pub interval_ms: i64,
    /// The last poll that did not come too soon, milliseconds since 1970.
    pub polled_ms: Option<i64>,
    /// The grant that a person made for it. Set once.
    pub grant: Option<String>,
    /// When a person refused it, milliseconds since 1970. Set once, and never beside a grant.
    pub denied_ms: Option<i64>,
    /// When the device was given what the grant gives, milliseconds since 1970. Set once.
    pub used_ms: Option<i64>,
}

/// The longest interval between two polls, in milliseconds.
pub const LONGEST_DEVICE_INTERVAL_MS: i64 = 60_000;
/// So much longer is the interval after a poll that came too soon, in milliseconds (RFC 8628 section 3.5).
pub const DEVICE_SLOW_DOWN_MS: i64 = 5_000;
/// So long a request that has ended is still known, so that the device is told that it has ended, in milliseconds.
pub const DEVICE_AFTERLIFE_MS: i64 = 600_000;
