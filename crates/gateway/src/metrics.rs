//! What is counted for operators, in the text format of OpenMetrics (docs/gateway.md). No label is what a caller sent.

use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of how long Falconer takes, in seconds.
const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Its credentials suffice, or none are needed for the scope.
    Allowed,
    /// The rule is public.
    Public,
    /// A preflight of a page that may call.
    Preflight,
    /// An address below `/.falconer/`.
    OwnPage,
    /// A browser was sent to sign in.
    SignIn,
    /// A way back from Falconer that nobody here began, or with credentials that can't be kept.
    SignInFailed,
    /// The scopes don't suffice.
    Denied,
    /// The credentials don't hold.
    Failed,
    /// Falconer does not answer.
    Unavailable,
    /// No rule has this path and method.
    NoRule,
    /// A request that could be read in two ways, or not at all.
    BadRequest,
    /// A host that is not protected here.
    OtherHost,
    /// A page of another site sent it, with the cookie.
    OtherSite,
    /// Its address has too many under way.
    TooMany,
    /// The proxy, the rules or an answer are not as they have to be.
    Misconfigured,
}

/// What became of a browser's session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Begun,
    SignedIn,
    SignedOut,
    /// A session is over in its browser, and its grant may count still.
    GrantNotEnded,
}

impl Outcome {
    const ALL: [Outcome; 15] = [
        Outcome::Allowed,
        Outcome::Public,
        Outcome::Preflight,
        Outcome::OwnPage,
        Outcome::SignIn,
        Outcome::SignInFailed,
        Outcome::Denied,
        Outcome::Failed,
        Outcome::Unavailable,
        Outcome::NoRule,
        Outcome::BadRequest,
        Outcome::OtherHost,
        Outcome::OtherSite,
        Outcome::TooMany,
        Outcome::Misconfigured,
    ];

    fn word(self) -> &'static str {
        match self {
            Outcome::Allowed => "allowed",
            Outcome::Public => "public",
            Outcome::Preflight => "preflight",
            Outcome::OwnPage => "own-page",
            Outcome::SignIn => "sign-in",
            Outcome::SignInFailed => "sign-in-failed",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
            Outcome::Unavailable => "unavailable",
            Outcome::NoRule => "no-rule",
            Outcome::BadRequest => "bad-request",
            Outcome::OtherHost => "other-host",
            Outcome::OtherSite => "other-site",
            Outcome::TooMany => "too-many",
            Outcome::Misconfigured => "misconfigured",
        }
    }
}

impl Event {
    const ALL: [Event; 4] = [Event::Begun, Event::SignedIn, Event::SignedOut, Event::GrantNotEnded];

    fn word(self) -> &'static str {
        match self {
            Event::Begun => "begun",
            Event::SignedIn => "signed-in",
            Event::SignedOut => "signed-out",
            Event::GrantNotEnded => "grant-not-ended",
        }
    }
}

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// The counts of one gateway since its start.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    decisions: Family<Label, Counter>,
    sessions: Family<Label, Counter>,
    question: Histogram,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) websockets: Gauge,
    pub(crate) websockets_ended: Counter,
    upstream_failed: Counter,
    paused: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("falconer_gateway");
        let metrics = Metrics {
            decisions: Family::default(),
            sessions: Family::default(),
            question: Histogram::new(SECONDS),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            websockets: Gauge::default(),
            websockets_ended: Counter::default(),
            upstream_failed: Counter::default(),
            paused: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("decisions", "Requests by what became of them", metrics.decisions.clone());
        registry.register("sessions", "Sessions of browsers by what became of them", metrics.sessions.clone());
        registry.register_with_unit("question", "How long Falconer took to answer", Unit::Seconds, metrics.question.clone());
        registry.register("connections", "Connections that are open", metrics.connections.clone());
        registry.register("connections_refused", "Connections of addresses that had too many", metrics.connections_refused.clone());
        registry.register("websockets", "WebSockets that are open", metrics.websockets.clone());
        registry.register("websockets_ended", "WebSockets that ended with their credentials", metrics.websockets_ended.clone());
        registry.register("service_failed", "Requests that the service behind did not answer", metrics.upstream_failed.clone());
        registry.register("breaker_open", "1 while Falconer is not asked, because it did not answer", metrics.paused.clone());
        // What has not happened yet is told as 0: the rate of a counter that begins with its first event does not see that event.
        for outcome in Outcome::ALL {
            drop(metrics.decisions.get_or_create(&[("outcome", outcome.word())]));
        }
        for event in Event::ALL {
            drop(metrics.sessions.get_or_create(&[("event", event.word())]));
        }
        Metrics { registry, ..metrics }
    }
}

impl Metrics {
    pub(crate) fn decided(&self, outcome: Outcome) {
        self.decisions.get_or_create(&[("outcome", outcome.word())]).inc();
    }

    pub(crate) fn session(&self, event: Event) {
        self.sessions.get_or_create(&[("event", event.word())]).inc();
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.question.observe(took.as_secs_f64());
    }

    pub(crate) fn upstream_failed(&self) {
        self.upstream_failed.inc();
    }

    /// All of them. `paused`: Falconer is not asked at the moment.
    pub(crate) fn text(&self, paused: bool) -> String {
        self.paused.set(i64::from(paused));
        let mut text = String::new();
        // Writing to a String can't fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An alert on the first failure was never raised: the counter began with it.
    #[test]
    fn what_has_not_happened_yet_is_told_as_0() {
        let text = Metrics::default().text(false);
        for outcome in Outcome::ALL {
            assert!(text.contains(&format!("falconer_gateway_decisions_total{{outcome=\"{}\"}} 0\n", outcome.word())), "{text}");
        }
        assert!(text.contains("falconer_gateway_sessions_total{event=\"begun\"} 0\n"), "{text}");
    }
}
