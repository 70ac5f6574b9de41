//! Sending behind the back of whoever caused it: how long a mail takes, and whether there is one, shows in no answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot};

use super::error::MailError;
use super::message::Mail;
use super::outcome::{MailCounts, MailFigures, MailOutcome, Outcomes};

/// So many mails wait or are being sent; one more is not sent.
const MOST: u32 = 200;
/// So many are being sent at the same time.
const AT_ONCE: usize = 4;
/// So long somebody waits for what becomes of a mail.
const WAIT: Duration = Duration::from_secs(2);

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
    outcomes: Arc<Outcomes>,
    counts: Arc<MailCounts>,
}

impl Post {
    pub(crate) fn new(mailer: Arc<dyn Mailer>) -> Post {
        let (places, lines) = (Arc::new(Semaphore::new(MOST as usize)), Arc::new(Semaphore::new(AT_ONCE)));
        Post { mailer, places, lines, outcomes: Arc::default(), counts: Arc::default() }
    }

    /// Whether one more would be taken at this moment.
    pub(crate) fn has_room(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Takes a mail, or says in the log why not. Returns at once.
    pub(crate) fn send(&self, mail: Mail) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!(mail = mail.id, "a mail was not sent: {MOST} others wait for the mail server");
            self.counts.note(MailOutcome::Busy);
            return;
        };
        let (mailer, lines, counts) = (Arc::clone(&self.mailer), Arc::clone(&self.lines), Arc::clone(&self.counts));
        tokio::spawn(async move {
            let _place = place;
            // Closed by nobody.
            let _line = lines.acquire().await;
            hand_over(mailer.as_ref(), &mail, &counts).await;
        });
    }

    /// The same for a mail of which somebody wants to know what became of it: waits for that a short while, and keeps it by this key. A mail that still waits
    /// then goes on.
    pub(crate) async fn send_and_tell(&self, key: &str, mail: Mail) -> MailOutcome {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!(mail = mail.id, "a mail was not sent: {MOST} others wait for the mail server");
            self.counts.note(MailOutcome::Busy);
            self.outcomes.keep(key, MailOutcome::Busy);
            return MailOutcome::Busy;
        };
        self.outcomes.keep(key, MailOutcome::Waiting);
        let (mailer, lines, outcomes, key) =
            (Arc::clone(&self.mailer), Arc::clone(&self.lines), Arc::clone(&self.outcomes), key.to_owned());
        let counts = Arc::clone(&self.counts);
        let (tell, handed_over) = oneshot::channel();
        tokio::spawn(async move {
            let _place = place;
            // Closed by nobody.
            let _line = lines.acquire().await;
            let outcome = hand_over(mailer.as_ref(), &mail, &counts).await;
            outcomes.keep(&key, outcome);
            // Whoever asked may have gone.
            let _ = tell.send(outcome);
        });
        match tokio::time::timeout(WAIT, handed_over).await {
            Ok(Ok(outcome)) => outcome,
            _ => MailOutcome::Waiting,
        }
    }

    /// What became of the mail of this key; `None` where nobody has asked for one since this process began, or long ago.
    pub(crate) fn outcome(&self, key: &str) -> Option<MailOutcome> {
        self.outcomes.of(key)
    }

    /// Makes mails behind the answer, and sends them: whether there are any shows in no answer. Together they take one place. What becomes of each is kept by
    /// its key.
    pub(crate) fn make_and_send(&self, making: impl Future<Output = Vec<(String, Mail)>> + Send + 'static) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!("mails were not made: {MOST} others wait for the mail server");
            self.counts.note(MailOutcome::Busy);
            return;
        };
        let (mailer, lines, outcomes) = (Arc::clone(&self.mailer), Arc::clone(&self.lines), Arc::clone(&self.outcomes));
        let counts = Arc::clone(&self.counts);
        tokio::spawn(async move {
            let _place = place;
            // Closed by nobody.
            let _line = lines.acquire().await;
            let mails = making.await;
            for (key, _) in &mails {
                outcomes.keep(key, MailOutcome::Waiting);
            }
            for (key, mail) in mails {
                outcomes.keep(&key, hand_over(mailer.as_ref(), &mail, &counts).await);
            }
        });
    }

    pub(crate) fn figures(&self) -> MailFigures {
        self.counts.figures()
    }

    /// Until no mail waits or is being sent.
    pub(crate) async fn idle(&self) {
        drop(self.places.acquire_many(MOST).await);
    }
}

async fn hand_over(mailer: &dyn Mailer, mail: &Mail, counts: &MailCounts) -> MailOutcome {
    let sent = mailer.send(mail).await;
    match &sent {
        Ok(()) => tracing::info!(mail = mail.id, "a mail was sent"),
        Err(error @ MailError::Unfinished(_)) => tracing::warn!(mail = mail.id, %error, "it is not known whether a mail was sent"),
        Err(error) => tracing::warn!(mail = mail.id, %error, "a mail was not sent"),
    }
    let outcome = MailOutcome::of(&sent);
    counts.note(outcome);
    outcome
}
