//! What authenticateHawk and check said, as labels: a value of its own for each kind of reason, and never a text.

use falconer_auth::{Decision, Failure, GrantState, Reason, TokenFault, Unable, Verdict};

/// A pair of labels. The order is that of [`Label::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Success,
    NoAuth,
    Malformed,
    BadMac,
    OtherHost,
    Replayed,
    Client,
    Certificate,
    Ext,
    Timestamp,
    ReservedName,
    GrantUnknown,
    GrantRevoked,
    GrantEnded,
    AccountInactive,
    TooManySteps,
    ClockBehind,
    CutOff,
    Store,
    Payload,
    ScopesMissing,
    NoCredentials,
    TokenUnknown,
    TokenExpired,
    TokenOtherService,
    TokenScheme,
    Proof,
}

impl Label {
    pub(crate) const ALL: [Label; 27] = [
        Label::Success,
        Label::NoAuth,
        Label::Malformed,
        Label::BadMac,
        Label::OtherHost,
        Label::Replayed,
        Label::Client,
        Label::Certificate,
        Label::Ext,
        Label::Timestamp,
        Label::ReservedName,
        Label::GrantUnknown,
        Label::GrantRevoked,
        Label::GrantEnded,
        Label::AccountInactive,
        Label::TooManySteps,
        Label::ClockBehind,
        Label::CutOff,
        Label::Store,
        Label::Payload,
        Label::ScopesMissing,
        Label::NoCredentials,
        Label::TokenUnknown,
        Label::TokenExpired,
        Label::TokenOtherService,
        Label::TokenScheme,
        Label::Proof,
    ];

    pub(crate) fn of(verdict: &Verdict) -> Label {
        match verdict {
            Verdict::Success(_) => Label::Success,
            Verdict::NoAuth { .. } => Label::NoAuth,
            Verdict::Failed(reason) => Label::of_reason(reason),
            Verdict::Unable(unable) => Label::of_unable(unable),
        }
    }

    pub(crate) fn of_unable(unable: &Unable) -> Label {
        match unable {
            Unable::ClockBehind { .. } => Label::ClockBehind,
            Unable::CutOff { .. } => Label::CutOff,
            Unable::Store(_) => Label::Store,
        }
    }

    pub(crate) fn of_decision(decision: &Decision) -> Label {
        match decision {
            Decision::Allowed(_) => Label::Success,
            Decision::Denied { holder, .. } if holder.client_id.is_none() => Label::NoCredentials,
            Decision::Denied { .. } => Label::ScopesMissing,
            Decision::Failed(reason) => Label::of_reason(reason),
        }
    }

    /// Whether authenticateHawk says that.
    pub(crate) fn is_of_verdicts(self) -> bool {
        !matches!(
            self,
            Label::Payload
                | Label::OtherHost
                | Label::Replayed
                | Label::ScopesMissing
                | Label::NoCredentials
                | Label::TokenUnknown
                | Label::TokenExpired
                | Label::TokenOtherService
                | Label::TokenScheme
                | Label::Proof
        )
    }

    /// Whether check says that.
    pub(crate) fn is_of_checks(self) -> bool {
        !matches!(self, Label::NoAuth | Label::OtherHost | Label::Replayed)
    }

    pub(crate) fn of_reason(reason: &Reason) -> Label {
        match reason {
            Reason::Credentials(failure) => match failure {
                Failure::Form(_) => Label::Malformed,
                Failure::BadMac => Label::BadMac,
                Failure::Client { .. } => Label::Client,
                Failure::Certificate(_) => Label::Certificate,
                Failure::Ext(_) => Label::Ext,
                Failure::StaleTimestamp | Failure::BewitOver => Label::Timestamp,
            },
            // These only calls to Falconer itself are answered with: they are in its log, and not counted.
            Reason::OtherHost => Label::OtherHost,
            Reason::Replayed => Label::Replayed,
            Reason::PayloadHash { .. } | Reason::PayloadNotSigned => Label::Payload,
            Reason::TwoSchemes | Reason::SeveralAuthorizations | Reason::Token(TokenFault::Malformed) => Label::Malformed,
            Reason::Token(TokenFault::Unknown) => Label::TokenUnknown,
            Reason::Token(TokenFault::Ended) => Label::TokenExpired,
            Reason::Token(TokenFault::OtherService) => Label::TokenOtherService,
            Reason::Token(TokenFault::Bound | TokenFault::NotBound) => Label::TokenScheme,
            Reason::Proof(_) => Label::Proof,
            Reason::ReservedName { .. } => Label::ReservedName,
            Reason::Grant { state, .. } => match state {
                GrantState::Unknown => Label::GrantUnknown,
                GrantState::Revoked => Label::GrantRevoked,
                GrantState::Ended => Label::GrantEnded,
                GrantState::AccountUnknown | GrantState::AccountInactive => Label::AccountInactive,
            },
            Reason::OwnerInactive { .. } | Reason::PersonInactive { .. } => Label::AccountInactive,
            Reason::TooManySteps { .. } => Label::TooManySteps,
        }
    }

    /// The label `reason`, where there is one.
    pub(crate) fn reason(self) -> Option<&'static str> {
        Some(self.labels().1).filter(|reason| !reason.is_empty())
    }

    /// The labels `verdict` and `reason`.
    pub(crate) fn labels(self) -> (&'static str, &'static str) {
        match self {
            Label::Success => ("success", ""),
            Label::NoAuth => ("no_auth", ""),
            Label::Malformed => ("failed", "malformed"),
            Label::BadMac => ("failed", "bad_mac"),
            Label::OtherHost => ("failed", "other_host"),
            Label::Replayed => ("failed", "replayed"),
            Label::Client => ("failed", "client"),
            Label::Certificate => ("failed", "certificate"),
            Label::Ext => ("failed", "ext"),
            Label::Timestamp => ("failed", "timestamp"),
            Label::ReservedName => ("failed", "reserved_name"),
            Label::GrantUnknown => ("failed", "grant_unknown"),
            Label::GrantRevoked => ("failed", "grant_revoked"),
            Label::GrantEnded => ("failed", "grant_ended"),
            Label::AccountInactive => ("failed", "account_inactive"),
            Label::TooManySteps => ("failed", "too_many_steps"),
            Label::ClockBehind => ("unable", "clock_behind"),
            Label::CutOff => ("unable", "cut_off"),
            Label::Store => ("unable", "store"),
            Label::Payload => ("failed", "payload"),
            Label::ScopesMissing => ("denied", "scopes_missing"),
            Label::NoCredentials => ("denied", "no_credentials"),
            Label::TokenUnknown => ("failed", "token_unknown"),
            Label::TokenExpired => ("failed", "token_expired"),
            Label::TokenOtherService => ("failed", "token_other_service"),
            Label::TokenScheme => ("failed", "token_scheme"),
            Label::Proof => ("failed", "proof"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_has_a_place_and_labels_of_its_own() {
        let mut labels: Vec<_> = Label::ALL.iter().map(|label| label.labels()).collect();
        assert!(Label::ALL.iter().enumerate().all(|(at, label)| *label as usize == at));
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Label::ALL.len());
    }

    /// The page lacked `cut_off`, so that whoever was woken by it looked in vain.
    #[test]
    fn the_page_says_what_each_reason_means() {
        let page = include_str!("../../../../docs/metrics.md");
        let table = page.split_once("## Why nobody was verified").unwrap().1.split_once("\n## ").unwrap().0;
        for (verdict, reason) in Label::ALL.iter().map(|label| label.labels()).filter(|(_, reason)| !reason.is_empty()) {
            let row = |line: &&str| line.starts_with(&format!("| `{verdict}` |")) && line.contains(&format!("`{reason}`"));
            assert_eq!(table.lines().filter(row).count(), 1, "{verdict} {reason}");
        }
    }
}
