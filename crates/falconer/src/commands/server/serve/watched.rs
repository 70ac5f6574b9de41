//! Tasks that a server can't do without. One that ends while the server goes on, by a panic or else, would be missed by nobody: what others revoke would never come, for one.

use tokio::task::{JoinHandle, JoinSet};

/// Runs a task until it is aborted. Where it ends by itself, that is said, and the process ends.
pub fn watched(name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    watched_by(name, task, |reason| {
        tracing::error!(reason, "this server can't go on: ending at once");
        std::process::exit(70);
    })
}

fn watched_by(
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
    on_end: impl Fn(&str) + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Ended with this one, however that ends.
        let mut running = JoinSet::new();
        running.spawn(task);
        let how = match running.join_next().await {
            Some(Err(error)) if error.is_panic() => "panicked",
            _ => "ended",
        };
        on_end(&format!("a task that a server can't do without has {how}: {name}"));
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    async fn reason_of(task: impl Future<Output = ()> + Send + 'static) -> Option<String> {
        let (reasons, heard) = mpsc::channel();
        let running = watched_by("following the database", task, move |why| drop(reasons.send(why.to_owned())));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        running.abort();
        let _ = running.await;
        heard.recv().ok()
    }

    /// A server whose task of following had panicked went on, and took in nothing that commands and other servers wrote.
    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_missed() {
        let panicked = reason_of(async { panic!("expected by the test") }).await;
        assert_eq!(panicked.as_deref(), Some("a task that a server can't do without has panicked: following the database"));
        assert_eq!(reason_of(async {}).await.as_deref(), Some("a task that a server can't do without has ended: following the database"));
        assert_eq!(reason_of(std::future::pending()).await, None, "one that is aborted ends as it should");
    }
}
