//! What is counted, in the text format of OpenMetrics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::{BOUNDS_US, CLASSES, KINDS, Label};
use crate::Web;

/// What the operating system says of this process.
#[derive(Clone, Copy, Debug)]
pub struct ProcessFigures {
    /// Bytes in memory.
    pub resident_bytes: u64,
    /// User and system time since the start, in seconds.
    pub cpu_seconds: f64,
    /// Files and sockets that are open.
    pub open_fds: u64,
}

/// `GET /metrics`, and nothing else: for a listener that only the operator's network reaches. `process` answers what this system tells of the process.
pub fn routes(web: Arc<Web>, process: impl Fn() -> Option<ProcessFigures> + Send + Sync + 'static) -> Router {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(NodeMetrics { web, process: Box::new(process) }));
    let registry = Arc::new(registry);
    Router::new().route("/metrics", get(move || async move { answer(&registry) })).fallback(|| async { StatusCode::NOT_FOUND })
}

fn answer(registry: &Registry) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, registry) {
        Ok(()) => ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

struct NodeMetrics {
    web: Arc<Web>,
    process: Box<dyn Fn() -> Option<ProcessFigures> + Send + Sync>,
}

impl fmt::Debug for NodeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeMetrics")
    }
}

impl Collector for NodeMetrics {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page(encoder);
        self.requests(&mut page)?;
        self.connections(&mut page)?;
        self.node(&mut page)?;
        self.caches(&mut page)?;
        self.traces(&mut page)?;
        self.logouts(&mut page)?;
        self.web.metrics.people.encode(&self.web.login, &mut page.0)?;
        match (self.process)() {
            Some(process) => of_process(&mut page, process),
            None => Ok(()),
        }
    }
}

impl NodeMetrics {
    fn logouts(&self, page: &mut Page<'_>) -> fmt::Result {
        let figures = self.web.grants.logout_figures();
        let mut family = page.0.encode_descriptor("falconer_logouts", "Applications told of signing out.", None, MetricType::Counter)?;
        let outcomes =
            [("delivered", figures.delivered), ("refused", figures.refused), ("failed", figures.failed), ("given_up", figures.given_up)];
        for (outcome, count) in outcomes {
            family.encode_family(&[("outcome", outcome)])?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
        Ok(())
    }

    fn requests(&self, page: &mut Page<'_>) -> fmt::Result {
        let metrics = &self.web.metrics;
        let mut answers = page.0.encode_descriptor("falconer_requests", "Requests that were answered.", None, MetricType::Counter)?;
        for (place, (service, method)) in metrics.names.iter().enumerate() {
            for (class, status) in CLASSES.iter().enumerate() {
                // Also what has not happened yet: the rate of a counter that begins with its first event does not see that event.
                let count = metrics.sum(place * CLASSES.len() + class);
                let labels = [("service", *service), ("method", *method), ("status", *status)];
                answers.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
            }
        }
        let help = "From the head of a request to the head of its answer.";
        let mut latencies = page.0.encode_descriptor("falconer_request_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (kind, name) in KINDS.iter().enumerate() {
            let first = metrics.latencies(kind);
            let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.enumerate().map(|(at, bound)| (bound, metrics.sum(first + at))).collect();
            let (sum, count) = (metrics.sum(first + buckets.len()) as f64 / 1e6, buckets.iter().map(|(_, count)| count).sum());
            latencies.encode_family(&[("kind", *name)])?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        let mut verdicts = page.0.encode_descriptor("falconer_verdicts", "What authenticateHawk said.", None, MetricType::Counter)?;
        for label in Label::ALL.into_iter().filter(|label| label.is_of_verdicts()) {
            let (verdict, reason) = label.labels();
            verdicts
                .encode_family(&[("verdict", verdict), ("reason", reason)])?
                .encode_counter::<NoLabelSet, _, f64>(&metrics.sum(metrics.verdicts() + label as usize), None)?;
        }
        let mut checks = page.0.encode_descriptor("falconer_checks", "What check said.", None, MetricType::Counter)?;
        for label in Label::ALL.into_iter().filter(|label| label.is_of_checks()) {
            let (status, reason) = label.labels();
            let status = if label == Label::Success { "allowed" } else { status };
            checks
                .encode_family(&[("status", status), ("reason", reason)])?
                .encode_counter::<NoLabelSet, _, f64>(&metrics.sum(metrics.checks() + label as usize), None)?;
        }
        Ok(())
    }

    fn connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let metrics = &self.web.metrics;
        let (closed, accepted) = (of(&metrics.closed), of(&metrics.accepted));
        page.gauge("falconer_connections", "Connections that are open.", None, accepted.saturating_sub(closed) as f64)?;
        page.counter("falconer_connections_accepted", "Connections that were accepted.", accepted)?;
        page.counter("falconer_connections_refused", "Connections beyond limits.connections, answered 503.", of(&metrics.refused))?;
        page.counter(
            "falconer_connections_too_slow",
            "Connections that were closed because a limit of time had passed.",
            of(&metrics.too_slow),
        )
    }

    fn node(&self, page: &mut Page<'_>) -> fmt::Result {
        let auth = &self.web.auth;
        let (directory, commits) = (auth.directory(), auth.commit_figures());
        let version = self.web.settings.version.version.as_str();
        let mut build = page.0.encode_descriptor("falconer_build", "What runs.", None, MetricType::Info)?;
        build.encode_info(&[("version", version)])?;
        page.gauge("falconer_revision", "The revision that this node answers from.", None, directory.revision().0 as f64)?;
        page.gauge("falconer_roles", "Roles.", None, directory.roles().len() as f64)?;
        page.gauge("falconer_clients", "Clients.", None, directory.client_count() as f64)?;
        page.gauge("falconer_grants", "Access grants that have not ended.", None, directory.grants().count() as f64)?;
        page.gauge("falconer_people", "People who have ever signed in.", None, directory.people().count() as f64)?;
        let behind = f64::from(u8::from(auth.clock_behind_ms().is_some()));
        let damaged = auth.damaged_count() as f64;
        page.gauge("falconer_damaged_records", "Records whose sealed value did not open when all was read.", None, damaged)?;
        page.gauge("falconer_clock_is_behind", "1 while this node authenticates nobody, because its clock is wrong.", None, behind)?;
        let (staleness, cut_off) = (auth.staleness_ms() as f64 / 1000.0, f64::from(u8::from(auth.cut_off_ms().is_some())));
        let seconds = Some(&Unit::Seconds);
        page.gauge("falconer_staleness", "Since the last look at the store that came to an end began.", seconds, staleness)?;
        page.gauge(
            "falconer_is_cut_off",
            "1 while this node authenticates nobody, because it does not reach its database.",
            None,
            cut_off,
        )?;
        let mut history =
            page.0.encode_descriptor("falconer_history", "The history of the database that is followed.", None, MetricType::Info)?;
        history.encode_info(&[("epoch", directory.history().epoch.to_string().as_str())])?;
        let following = auth.following_figures();
        let behind = following.revisions_behind as f64;
        page.gauge("falconer_revisions_behind", "Revisions that are known and not answered from yet.", None, behind)?;
        page.counter("falconer_records_followed", "Records of other nodes that were taken in.", following.records)?;
        page.counter("falconer_full_loads", "How often everything was read from the database.", following.full_loads)?;
        page.gauge("falconer_followers", "Who follows the events.", None, following.followers as f64)?;
        page.counter("falconer_follower_resets", "How often a follower was told to list everything again.", following.resets)?;
        page.gauge("falconer_notifications", "Notifications of other nodes since the start.", None, auth.notifications() as f64)?;
        page.counter("falconer_commits", "Groups of changes that were committed together.", commits.groups)?;
        page.counter("falconer_changes", "Changes that were given to the store.", commits.steps)
    }

    fn traces(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(tracer) = &self.web.traces else { return Ok(()) };
        let counts = tracer.counts();
        page.counter("falconer_spans_exported", "Spans that the collector has taken.", counts.exported)?;
        page.counter("falconer_spans_dropped", "Spans that found no room, or that the collector did not take.", counts.dropped)
    }

    fn caches(&self, page: &mut Page<'_>) -> fmt::Result {
        let expansions = self.web.auth.directory().expansion_figures();
        let bytes = Some(&Unit::Bytes);
        page.gauge("falconer_expansions", "What remembered expansions take.", bytes, expansions.bytes as f64)?;
        page.gauge("falconer_expansions_limit", "What they may take at most (cache_mib).", bytes, expansions.most_bytes as f64)?;
        page.counter("falconer_expansions_hits", "Expansions that were remembered.", expansions.hits)?;
        page.counter("falconer_expansions_made", "Expansions that were not remembered.", expansions.computed)?;
        page.counter("falconer_expansions_forgotten", "Expansions that were forgotten to stay within the limit.", expansions.evicted)
    }
}

fn of_process(page: &mut Page<'_>, process: ProcessFigures) -> fmt::Result {
    page.gauge("process_resident_memory", "Resident memory.", Some(&Unit::Bytes), process.resident_bytes as f64)?;
    page.gauge("process_open_fds", "Open file descriptors.", None, process.open_fds as f64)?;
    let mut cpu = page.0.encode_descriptor("process_cpu", "User and system CPU time spent.", Some(&Unit::Seconds), MetricType::Counter)?;
    cpu.encode_counter::<NoLabelSet, _, f64>(&process.cpu_seconds, None)
}

/// Families of one value.
struct Page<'e>(DescriptorEncoder<'e>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Counter)?.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }
}
