//! What waits for a person's answer elsewhere: a device without a browser (RFC 8628), or a program that has a grant and asks for more than it.

/// A request that waits. It decides nothing by itself: what whoever asks gets is the grant that a person makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequestRecord {
    /// A hash of the code that whoever asks keeps; the code itself is stored nowhere.
    pub device_hash: String,
    /// A hash of the short code that the person types. Where more than a grant is asked for: what the address of the page names it by, which is no secret.
    pub user_hash: String,
    /// The id of the application that asked; empty: a program with a grant to a site that is none.
    pub application: String,
    /// The scopes that were asked for. Empty: all that the application may ask for; where more than a grant is asked for: no more scopes.
    pub scopes: Vec<String>,
    /// The application wants to know who the person is.
    pub identity: bool,
    /// The address from which it asked.
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
    /// The grant more than which is asked for. `None`: a device asks.
    pub for_grant: Option<String>,
    /// Why, or for what, in the words of who asks.
    pub reason: Option<String>,
    /// How long it wishes to have that, in milliseconds. Only beside `for_grant`.
    pub life_ms: Option<i64>,
    /// The key, as a thumbprint (RFC 7638), of the access token that asked for more than its grant: what comes of it is bound to that, too.
    pub jkt: Option<String>,
    /// What the machine calls itself, which the page proposes as the name of the grant. `None`: it says nothing.
    pub device_name: Option<String>,
}

/// The longest interval between two polls, in milliseconds.
pub const LONGEST_DEVICE_INTERVAL_MS: i64 = 60_000;
/// So much longer is the interval after a poll that came too soon, in milliseconds (RFC 8628 section 3.5).
pub const DEVICE_SLOW_DOWN_MS: i64 = 5_000;
/// So long a request that has ended is still known, so that the device is told that it has ended, in milliseconds.
pub const DEVICE_AFTERLIFE_MS: i64 = 600_000;
