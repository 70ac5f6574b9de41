//! What a token is for.

/// What a token is for. One is never taken for the other: it is under the MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerKind {
    /// It is shown to services.
    Access,
    /// It is exchanged, once, for others.
    Refresh,
    /// It stands as `jti` inside of a signed token, and is shown nowhere alone.
    Signed,
}

impl BearerKind {
    /// In front of each, so that one that lies about is recognised.
    pub fn prefix(self) -> &'static str {
        match self {
            BearerKind::Access => "falconer_at_",
            BearerKind::Refresh => "falconer_rt_",
            BearerKind::Signed => "falconer_jt_",
        }
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            BearerKind::Access => 1,
            BearerKind::Refresh => 2,
            BearerKind::Signed => 3,
        }
    }
}
