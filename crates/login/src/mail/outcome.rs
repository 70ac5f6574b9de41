//! What became of a mail, for whoever caused it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::MailError;

/// Of so many mails is kept what became of them.
const KEPT: usize = 1000;

/// What became of a mail. What the server said besides is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server has taken it.
    Sent,
    /// The mail server has refused it, with this status of SMTP.
    Refused(u16),
    /// The mail server could not be used: it was not sent.
    Unusable,
    /// Too many other mails waited: it was not sent.
    Busy,
    /// It still waits, or is being sent.
    Waiting,
    /// The mail server broke off while it took it: it may have been sent.
    Unfinished,
    /// It was to be sent, and this process does not know what became of it: another one sends it, or sent it before this one began.
    Unknown,
}

impl MailOutcome {
    pub(super) fn of(sent: &Result<(), MailError>) -> MailOutcome {
        match sent {
            Ok(()) => MailOutcome::Sent,
            Err(MailError::Status { status, .. }) => MailOutcome::Refused(*status),
            Err(MailError::Unfinished(_)) => MailOutcome::Unfinished,
            Err(
                MailError::Unreachable(_)
                | MailError::TooSlow(_)
                | MailError::NoTls
                | MailError::Tls(_)
                | MailError::NoAuth
                | MailError::Refused(_)
                | MailError::Malformed(_),
            ) => MailOutcome::Unusable,
        }
    }
}

/// Mails since this process began, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailFigures {
    /// The mail server has taken them.
    pub sent: u64,
    /// The mail server has refused them.
    pub refused: u64,
    /// The mail server could not be used.
    pub unusable: u64,
    /// Too many others waited.
    pub busy: u64,
    /// The mail server broke off.
    pub unknown: u64,
}

#[derive(Default)]
pub(super) struct MailCounts(Mutex<MailFigures>);

impl MailCounts {
    pub(super) fn note(&self, outcome: MailOutcome) {
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = match outcome {
            MailOutcome::Sent => &mut figures.sent,
            MailOutcome::Refused(_) => &mut figures.refused,
            MailOutcome::Unusable => &mut figures.unusable,
            MailOutcome::Busy => &mut figures.busy,
            MailOutcome::Unfinished => &mut figures.unknown,
            // Nothing came of it yet, or elsewhere.
            MailOutcome::Waiting | MailOutcome::Unknown => return,
        };
        *count += 1;
    }

    pub(super) fn figures(&self) -> MailFigures {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last ones, by a key of whoever caused them.
#[derive(Default)]
pub(super) struct Outcomes(Mutex<VecDeque<(String, MailOutcome)>>);

impl Outcomes {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, MailOutcome)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, key: &str, outcome: MailOutcome) {
        let mut kept = self.lock();
        if let Some(known) = kept.iter_mut().find(|(known, _)| known == key) {
            known.1 = outcome;
            return;
        }
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((key.to_owned(), outcome));
    }

    pub(super) fn of(&self, key: &str) -> Option<MailOutcome> {
        self.lock().iter().find(|(known, _)| known == key).map(|(_, outcome)| *outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_ones_are_kept() {
        let outcomes = Outcomes::default();
        for n in 0..=KEPT {
            outcomes.keep(&n.to_string(), MailOutcome::Waiting);
        }
        outcomes.keep("1", MailOutcome::Sent);
        assert_eq!((outcomes.of("0"), outcomes.of("1")), (None, Some(MailOutcome::Sent)));
        assert_eq!(outcomes.lock().len(), KEPT);
    }

    /// A server that breaks off may have taken the mail: saying that it was not sent would be wrong.
    #[test]
    fn what_is_not_known_is_not_called_unsent() {
        assert_eq!(MailOutcome::of(&Err(MailError::Unfinished(String::new()))), MailOutcome::Unfinished);
        assert_eq!(MailOutcome::of(&Err(MailError::TooSlow(30))), MailOutcome::Unusable);
        assert_eq!(MailOutcome::of(&Err(MailError::Status { what: "the mail", status: 550 })), MailOutcome::Refused(550));
    }
}
