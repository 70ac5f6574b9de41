//! What is said of a service in the end.

use serde::Serialize;

use crate::attacks::Attack;

/// What came of one attack on one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every request of it was refused, where the right one is let in.
    Held,
    /// The service is wanting.
    Finding,
    /// Worth knowing, and no fault where it is meant.
    Note,
    /// Some or all of it could not be tried: this says nothing good.
    NotTried,
    /// No route is one that it is made on.
    DoesNotApply,
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Such as `other-host`.
    pub attack: &'static str,
    /// Such as `GET /books/red`; of the service as a whole without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How many requests were sent.
    pub requests: usize,
    /// What was seen, one thing each: findings first, then why something could not be tried.
    pub seen: Vec<String>,
    /// What that means, of a finding or a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<&'static str>,
    /// What to do, of a finding or a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
    /// Where more is said, below docs/.
    pub page: &'static str,
}

/// Everything that was found out.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In the order in which it was tried.
    pub rows: Vec<Row>,
    /// Routes where the caller that may was not let in, and why: of these nothing is known.
    pub unusable_routes: Vec<String>,
}

impl Row {
    pub(crate) fn new(attack: &Attack, route: Option<String>, outcome: Outcome, requests: usize, seen: Vec<String>) -> Row {
        let is_explained = matches!(outcome, Outcome::Finding | Outcome::Note);
        Row {
            attack: attack.name,
            route,
            outcome,
            requests,
            seen,
            means: is_explained.then_some(attack.finding),
            advice: is_explained.then_some(attack.advice),
            page: attack.page,
        }
    }
}

impl Report {
    /// How many attacks came out so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }
}
