//! Calls that are in a store at the same time.

use std::pin::Pin;
use std::task::Poll;

/// Polls all futures until all are done, so that their calls are in the store at the same time.
pub(crate) async fn at_once<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(move |context| {
        let mut waiting = false;
        for (future, outcome) in &mut pending {
            if outcome.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *outcome = Some(value),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(pending.iter_mut().map(|(_, outcome)| outcome.take().expect("done")).collect()) }
    })
    .await
}
