//! Sign-ins by provider and what directories push: counted by names that are configured, and by outcomes that are listed here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use falconer_login::{Fault, Login, LoginError, PasskeyError, ProviderSignInError, RefreshEnd};
use http::StatusCode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// The provider of accounts of this server.
pub(crate) const LOCAL: &str = "local";

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SignIn {
    Success,
    /// A wrong name, password, code or passkey.
    Wrong,
    /// Whoever it is may not sign in here.
    Refused,
    Throttled,
    /// The browser came back with something else than it left with, or too late.
    Browser,
    /// The provider answered what it must not answer.
    Provider,
    Away,
    Busy,
    /// This server.
    Failed,
}

impl SignIn {
    const ALL: [SignIn; 9] = [
        SignIn::Success,
        SignIn::Wrong,
        SignIn::Refused,
        SignIn::Throttled,
        SignIn::Browser,
        SignIn::Provider,
        SignIn::Away,
        SignIn::Busy,
        SignIn::Failed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            SignIn::Success => "success",
            SignIn::Wrong => "wrong",
            SignIn::Refused => "refused",
            SignIn::Throttled => "throttled",
            SignIn::Browser => "browser",
            SignIn::Provider => "provider",
            SignIn::Away => "away",
            SignIn::Busy => "busy",
            SignIn::Failed => "failed",
        }
    }

    pub(crate) fn of_login(error: &LoginError) -> SignIn {
        match error {
            LoginError::WrongPassword => SignIn::Wrong,
            LoginError::SignedOut | LoginError::Invalid(_) | LoginError::NotFound(_) | LoginError::Conflict(_) => SignIn::Refused,
            LoginError::SignInAgain | LoginError::TooSoon => SignIn::Browser,
            LoginError::Throttled { .. } => SignIn::Throttled,
            LoginError::TooBusy => SignIn::Busy,
            LoginError::ClockBehind { .. }
            | LoginError::ClockAhead { .. }
            | LoginError::NotFollowed(_)
            | LoginError::Unavailable(_)
            | LoginError::OutcomeUnknown(_)
            | LoginError::Internal(_) => SignIn::Failed,
        }
    }

    pub(crate) fn of_passkey(error: &PasskeyError) -> SignIn {
        match error {
            PasskeyError::Login(error) => SignIn::of_login(error),
            PasskeyError::Over | PasskeyError::Used | PasskeyError::NotBegunHere => SignIn::Browser,
            PasskeyError::NotHere => SignIn::Refused,
            PasskeyError::TooLarge(_)
            | PasskeyError::Malformed { .. }
            | PasskeyError::WrongType
            | PasskeyError::WrongOrigin
            | PasskeyError::CrossOrigin
            | PasskeyError::WrongRelyingParty
            | PasskeyError::NotPresent
            | PasskeyError::NotVerified
            | PasskeyError::WrongBackup
            | PasskeyError::WrongKeyFlag
            | PasskeyError::WrongId
            | PasskeyError::WrongKey(_)
            | PasskeyError::UnknownAlgorithm(_)
            | PasskeyError::TooMany(_)
            | PasskeyError::Unknown
            | PasskeyError::WrongUser
            | PasskeyError::WrongSignature
            | PasskeyError::Counter => SignIn::Wrong,
        }
    }

    pub(crate) fn of_provider(error: &ProviderSignInError) -> SignIn {
        match error {
            ProviderSignInError::Login(error) => SignIn::of_login(error),
            ProviderSignInError::Provider(error) => match error.fault() {
                Fault::Browser => SignIn::Browser,
                Fault::Person => SignIn::Refused,
                Fault::Provider => SignIn::Provider,
                Fault::Away => SignIn::Away,
                Fault::Busy => SignIn::Busy,
            },
        }
    }
}

/// What came of a push.
const PUSHES: [&str; 5] = [DONE, NOT_FOUND, CONFLICT, REFUSED, FAILED];
const DONE: &str = "done";
const NOT_FOUND: &str = "not_found";
const CONFLICT: &str = "conflict";
const REFUSED: &str = "refused";
const FAILED: &str = "failed";

/// Since the start. Each is far rarer than a verification, so that one lock does.
#[derive(Default)]
pub(crate) struct People(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    sign_ins: BTreeMap<(String, SignIn), u64>,
    pushes: BTreeMap<(String, &'static str), u64>,
}

impl People {
    /// `provider` is configured, or [`LOCAL`].
    pub(crate) fn signed_in(&self, provider: &str, outcome: SignIn) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.sign_ins.entry((provider.to_owned(), outcome)).or_default() += 1;
    }

    /// `directory` is configured.
    pub(crate) fn pushed(&self, directory: &str, status: StatusCode) {
        let outcome = match status.as_u16() {
            ..400 => DONE,
            404 => NOT_FOUND,
            409 | 412 => CONFLICT,
            400..500 => REFUSED,
            _ => FAILED,
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.pushes.entry((directory.to_owned(), outcome)).or_default() += 1;
    }

    /// What has not happened yet is told as 0: the rate of a counter that begins with its first event does not see that event.
    pub(super) fn encode(&self, login: &Login, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut family = encoder.encode_descriptor("falconer_sign_ins", "Sign-ins that came to an end.", None, MetricType::Counter)?;
        for provider in std::iter::once(LOCAL).chain(login.providers().iter().map(|provider| provider.name.as_str())) {
            for outcome in SignIn::ALL {
                let count = counts.sign_ins.get(&(provider.to_owned(), outcome)).copied().unwrap_or_default();
                let labels = [("provider", provider), ("outcome", outcome.as_str())];
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        let mut family =
            encoder.encode_descriptor("falconer_scim_changes", "Changes that directories pushed.", None, MetricType::Counter)?;
        for directory in login.scim_names() {
            for outcome in PUSHES {
                let count = counts.pushes.get(&(directory.to_owned(), outcome)).copied().unwrap_or_default();
                let labels = [("directory", directory), ("outcome", outcome)];
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        drop(counts);
        let refreshes = login.refresh_figures();
        let mut family =
            encoder.encode_descriptor("falconer_refreshes", "Questions about people without them.", None, MetricType::Counter)?;
        for (provider, figures) in &refreshes {
            for end in RefreshEnd::ALL {
                let count = figures.ends.get(&end).copied().unwrap_or_default();
                let labels = [("provider", *provider), ("outcome", refresh_end(end))];
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        let help = "Since a provider answered last about somebody who was not there.";
        let mut family = encoder.encode_descriptor("falconer_refresh_age", help, Some(&Unit::Seconds), MetricType::Gauge)?;
        for (provider, figures) in &refreshes {
            if let Some(answered_ms) = figures.answered_ms {
                let age = login.now_ms().saturating_sub(answered_ms).max(0) as f64 / 1000.0;
                family.encode_family(&[("provider", *provider)])?.encode_gauge(&age)?;
            }
        }
        let Some(mails) = login.mail_figures() else { return Ok(()) };
        let mut family = encoder.encode_descriptor("falconer_mails", "Mails.", None, MetricType::Counter)?;
        let outcomes = [
            ("sent", mails.sent),
            ("refused", mails.refused),
            ("unusable", mails.unusable),
            ("busy", mails.busy),
            ("unknown", mails.unknown),
        ];
        for (outcome, count) in outcomes {
            family.encode_family(&[("outcome", outcome)])?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
        Ok(())
    }
}

fn refresh_end(end: RefreshEnd) -> &'static str {
    match end {
        RefreshEnd::Answered => "answered",
        RefreshEnd::Gone => "gone",
        RefreshEnd::Refused => "refused",
        RefreshEnd::Away => "away",
        RefreshEnd::Failed => "failed",
    }
}
