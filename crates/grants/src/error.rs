//! Why nothing was granted.

use falconer_auth::ApiError;
use falconer_login::LoginError;
use thiserror::Error;

use crate::consent::news::News;
use crate::consent::offer::Offer;

/// Why nothing was granted, or offered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrantError {
    /// What would be granted is not what the page showed: what the person may do has changed since, or something has to be taken away so
    /// that what is not ticked does not come back. Show this offer, with these ticks, and let the person press again.
    #[error("{reason}")]
    Review {
        /// With the person's ticks, and what was taken away.
        offer: Box<Offer>,
        /// For the person.
        reason: &'static str,
    },
    /// Something that the person wrote can't be, or the time that they chose is not on offer any more. Show this offer again, with these ticks.
    #[error("{reason}")]
    Correct {
        /// With the person's ticks, and what is wrong beside the line that it belongs to.
        offer: Box<Offer>,
        /// For the person.
        reason: String,
    },
    /// The button was pressed as soon as the page appeared. Show this offer again, with these ticks.
    #[error("{}", falconer_login::TOO_SOON)]
    TooSoon(Box<Offer>),
    /// No script told how long the page was visible, and this is new for a site that the person knows: show it by itself.
    #[error("Look at what is new before you grant it.")]
    News(Box<News>),
    /// The host has to be typed, or was typed differently. Show this offer again.
    #[error("Type the name of the host to grant access to it.")]
    HostNotTyped(Box<Offer>),
    /// Nothing was ticked. Show this offer again.
    #[error("Tick at least one thing, or cancel.")]
    Nothing(Box<Offer>),
    /// The administrator allows registered targets only, and this is none.
    #[error("The administrator allows grants to registered sites only, and {0} is not registered.")]
    NotRegistered(String),
    /// The target is a page of Falconer itself, which takes no credentials.
    #[error(
        "{0} is Falconer itself, and no page of it takes credentials: they would stand in the address bar for nothing. The site has to name an address of its own."
    )]
    OwnAddress(String),
    /// The form is not one of ours.
    #[error("{0}")]
    BadForm(String),
    /// The form was used for a grant that has been revoked since.
    #[error("This grant was made before and has been revoked. Start again at the site that asked for it.")]
    Revoked,
    /// The form was used for a grant that has ended since.
    #[error("This grant was made before and has ended. Start again at the site that asked for it.")]
    Ended,
    /// The device has got another answer meanwhile, or waits no more.
    #[error("The device waits no more: its code has ended, or was answered already. Start again on the device.")]
    DeviceGone,
    /// The request for more was answered meanwhile, or is over.
    #[error("This request was answered already, or is over. Nothing more was given.")]
    RequestGone,
    /// Everything else.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl From<ApiError> for GrantError {
    fn from(error: ApiError) -> Self {
        GrantError::Login(error.into())
    }
}

/// What went wrong behind a grant that was made: nobody is told that nothing was done.
#[derive(Debug)]
pub(crate) struct AfterGrant(GrantError);

impl AfterGrant {
    /// The grant was ended again.
    pub(crate) fn ended(why: GrantError) -> AfterGrant {
        AfterGrant(why)
    }
}

impl From<LoginError> for AfterGrant {
    fn from(error: LoginError) -> Self {
        AfterGrant(GrantError::Login(error.after_a_change()))
    }
}

impl From<ApiError> for AfterGrant {
    fn from(error: ApiError) -> Self {
        LoginError::from(error).into()
    }
}

impl From<AfterGrant> for GrantError {
    fn from(error: AfterGrant) -> Self {
        error.0
    }
}
