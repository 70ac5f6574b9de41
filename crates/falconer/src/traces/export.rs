//! Sends spans to the collector: many at once, beside whatever made them.
//!
//! Requests put spans into a queue of a fixed length. Where it is full, because the collector is slow or away, spans are dropped and counted, and nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use falconer_auth::{Clock as _, Random as _};
use falconer_traces::otlp::{self, Resource};
use falconer_traces::{Counts, Sink, Span};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use crate::commands::server::serve::Outage;
use crate::system::{SystemClock, SystemRandom};

/// How many spans may wait. One takes about 200 bytes.
const QUEUE: usize = 4096;
/// How many are sent at once.
const BATCH: usize = 512;
/// How long the first of them waits for others. A queue that is full before that drops spans: 20,000 a second fit.
const GATHER: Duration = Duration::from_millis(200);
/// How long the collector may take for them.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server that ends waits for what is left.
const AT_THE_END: Duration = Duration::from_secs(2);

/// The queue, as requests see it.
struct Queue {
    spans: Sender<Span>,
    exported: AtomicU64,
    dropped: AtomicU64,
}

impl Sink for Queue {
    fn add(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> Counts {
        Counts { exported: self.exported.load(Ordering::Relaxed), dropped: self.dropped.load(Ordering::Relaxed) }
    }
}

/// Sends what comes into a queue, as a task.
pub struct Exporter {
    queue: Arc<Queue>,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Begins. Whether the collector is there shows with the first spans.
    pub fn start(url: Url) -> Result<Exporter> {
        let tls = falconer_client::tls_config().context("TLS can't be set up")?;
        // What is on this machine is behind no proxy.
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let builder = reqwest::Client::builder();
        let builder = if is_here { builder.no_proxy() } else { builder };
        let http = builder
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .context("the HTTP client cannot start")?;
        let (spans, waiting) = mpsc::channel(QUEUE);
        let queue = Arc::new(Queue { spans, exported: AtomicU64::new(0), dropped: AtomicU64::new(0) });
        let mut instance = [0; 16];
        SystemRandom.fill(&mut instance);
        let resource = Resource {
            service: "falconer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: falconer_traces::TraceId(instance).to_string(),
        };
        let (end, has_ended) = oneshot::channel();
        let sending = Sending { http, url, resource, queue: Arc::clone(&queue), outage: Outage::default() };
        Ok(Exporter { queue, end, task: tokio::spawn(sending.run(waiting, has_ended)) })
    }

    /// Where spans are put.
    pub fn queue(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.queue) as Arc<dyn Sink>
    }

    /// Sends what is left, unless that takes too long.
    pub async fn end(self) {
        let _ = self.end.send(());
        let _ = tokio::time::timeout(AT_THE_END, self.task).await;
    }
}

struct Sending {
    http: reqwest::Client,
    url: Url,
    resource: Resource,
    queue: Arc<Queue>,
    outage: Outage,
}

impl Sending {
    async fn run(mut self, mut waiting: Receiver<Span>, mut has_ended: oneshot::Receiver<()>) {
        let mut spans = Vec::new();
        loop {
            tokio::select! {
                first = waiting.recv() => match first {
                    Some(first) => spans.push(first),
                    None => return,
                },
                _ = &mut has_ended => break,
            }
            // Nobody is woken by those that come meanwhile.
            let is_over = tokio::select! {
                () = tokio::time::sleep(GATHER) => false,
                _ = &mut has_ended => true,
            };
            if is_over {
                break;
            }
            take_all(&mut waiting, &mut spans);
            self.send(&mut spans).await;
        }
        // Whoever ends keeps the queue, so that it never closes.
        take_all(&mut waiting, &mut spans);
        self.send(&mut spans).await;
    }

    /// Sends these, once: what the collector does not take is dropped. It holds nothing up that more spans come meanwhile.
    async fn send(&mut self, spans: &mut Vec<Span>) {
        for batch in spans.chunks(BATCH) {
            let count = batch.len() as u64;
            match self.post(otlp::request(&self.resource, batch)).await {
                Ok(()) => {
                    self.queue.exported.fetch_add(count, Ordering::Relaxed);
                    if let Some(over) = self.outage.worked(SystemClock.steady_ms()) {
                        tracing::info!(failures = over.failures, seconds = over.seconds, "the collector takes spans again");
                    }
                }
                Err(error) => {
                    self.queue.dropped.fetch_add(count, Ordering::Relaxed);
                    if let Some(report) = self.outage.failed(SystemClock.steady_ms()) {
                        let (failures, seconds) = (report.failures, report.seconds);
                        tracing::warn!(error = format!("{error:#}"), failures, seconds, "the collector takes no spans: they are dropped");
                    }
                }
            }
        }
        spans.clear();
    }

    async fn post(&self, body: Vec<u8>) -> Result<()> {
        let sent = self.http.post(self.url.clone()).header("content-type", "application/x-protobuf").body(body).send().await?;
        let status = sent.status();
        if !status.is_success() {
            bail!("{} answers {status}", self.url);
        }
        Ok(())
    }
}

/// What waits, and no more than there is room for: others may add as fast as it is taken.
fn take_all(waiting: &mut Receiver<Span>, spans: &mut Vec<Span>) {
    while spans.len() <= QUEUE
        && let Ok(span) = waiting.try_recv()
    {
        spans.push(span);
    }
}

#[cfg(test)]
mod tests {
    use falconer_traces::{Context, Kind};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn span() -> Span {
        let context = Context::parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        Span {
            context,
            parent: None,
            name: "check",
            kind: Kind::Server,
            began_ns: 1,
            ended_ns: 2,
            attributes: Vec::new(),
            has_failed: false,
        }
    }

    #[tokio::test]
    async fn who_has_no_room_waits_for_nobody() {
        // It takes connections and answers nothing.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", silent.local_addr().unwrap());
        let exporter = Exporter::start(url.parse().unwrap()).unwrap();
        let queue = exporter.queue();
        // Nothing else has its turn on this thread meanwhile.
        (0..10_000).for_each(|_| queue.add(span()));
        assert_eq!(queue.counts(), Counts { exported: 0, dropped: 10_000 - QUEUE as u64 });
    }

    #[tokio::test]
    async fn what_the_collector_does_not_take_is_counted_and_what_comes_later_is_sent() {
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", collector.local_addr().unwrap());
        let exporter = Exporter::start(url.parse().unwrap()).unwrap();
        let queue = exporter.queue();
        for (status, exported, dropped) in [("503 Service Unavailable", 0, 1), ("200 OK", 1, 1), ("307 Temporary Redirect", 1, 2)] {
            queue.add(span());
            let (mut connection, _) = collector.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.windows(5).any(|part| part == b"check") {
                assert_ne!(connection.read_buf(&mut read).await.unwrap(), 0);
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nlocation: /\r\nconnection: close\r\n\r\n");
            connection.write_all(answer.as_bytes()).await.unwrap();
            while queue.counts() != (Counts { exported, dropped }) {
                tokio::task::yield_now().await;
            }
        }
        exporter.end().await;
    }
}
