//! Sending behind the back of whoever caused it: how long a mail takes, and whether there is one, shows in no answer.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::error::MailError;
use super::message::Mail;

/// So many mails wait or are being sent; one more is not sent.
const MOST: u32 = 200;
/// So many are being sent at the same time.
const AT_ONCE: usize = 4;

/// Hands mails to a server.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Once: a mail that was not taken is not tried again, because whoever waits for it can ask for another one.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;

    /// What can be said of the server without sending anything; lines of `what, found` for an operator.
    async fn probe(&self) -> Result<Vec<(&'static str, String)>, MailError>;
}

/// The queue in front of a mailer.
pub(crate) struct Post {
    mailer: Arc<dyn Mailer>,
    places: Arc<Semaphore>,
    lines: Arc<Semaphore>,
}

impl Post {
    pub(crate) fn new(mailer: Arc<dyn Mailer>) -> Post {
        Post { mailer, places: Arc::new(Semaphore::new(MOST as usize)), lines: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Takes a mail, or says in the log why not. Returns at once.
    pub(crate) fn send(&self, mail: Mail) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!(mail = mail.id, "a mail was not sent: {MOST} others wait for the mail server");
            return;
        };
        let (mailer, lines) = (Arc::clone(&self.mailer), Arc::clone(&self.lines));
        tokio::spawn(async move {
            let _place = place;
            // Closed by nobody.
            let _line = lines.acquire().await;
            hand_over(mailer.as_ref(), &mail).await;
        });
    }

    /// Makes mails behind the answer, and sends them: whether there are any shows in no answer. Together they take one place.
    pub(crate) fn make_and_send(&self, making: impl Future<Output = Vec<Mail>> + Send + 'static) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!("mails were not made: {MOST} others wait for the mail server");
            return;
        };
        let (mailer, lines) = (Arc::clone(&self.mailer), Arc::clone(&self.lines));
        tokio::spawn(async move {
            let _place = place;
            // Closed by nobody.
            let _line = lines.acquire().await;
            for mail in making.await {
                hand_over(mailer.as_ref(), &mail).await;
            }
        });
    }

    /// Until no mail waits or is being sent.
    pub(crate) async fn idle(&self) {
        drop(self.places.acquire_many(MOST).await);
    }
}

async fn hand_over(mailer: &dyn Mailer, mail: &Mail) {
    match mailer.send(mail).await {
        Ok(()) => tracing::info!(mail = mail.id, "a mail was sent"),
        Err(error) => tracing::warn!(mail = mail.id, %error, "a mail was not sent"),
    }
}
