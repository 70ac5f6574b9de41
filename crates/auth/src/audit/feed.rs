//! Following the changes of clients and roles: each one once, in order, and resumed where a follower left off.
//!
//! A follower pulls: nothing is queued for it but what it asked for, so that a slow one costs no memory. What it asks for was read once for all
//! (`recent`). It wakes when the directory moves, and hears of a revision when this node answers from it, so that what it then reads is at least
//! as new as what it heard.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::{Epoch, History, Revision, StoreError};
use tokio::sync::watch;

use crate::audit::event::{Event, Position};
use crate::audit::unread::UnreadRows;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;

/// What it takes to follow.
const SCOPE: &str = "auth:events";

/// Credentials end by themselves: after so long they are looked at again, although nothing else has changed.
const CHECKED_FOR_MS: i64 = 1000;

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedItem {
    /// Something changed.
    Changed(Event),
    /// What happened since its position is no longer known: it lists everything again, and goes on from here.
    Reset(Position),
}

/// Somebody who follows the changes.
pub struct Follower {
    auth: Auth,
    who: Authentication,
    position: Position,
    moved: watch::Receiver<(History, Revision)>,
    /// What was read and not told yet: the rows of one read at most.
    read: UnreadRows,
    /// Where the read ends.
    read_to: Position,
    /// It has come along with what happens, and doesn't only catch up any more.
    is_live: bool,
    /// At which revision and when it was last seen that the caller may follow.
    checked: Option<(Revision, i64)>,
}

impl Auth {
    /// Begins to follow at `from`; without it, with what happens from now on. The caller needs `auth:events`, now and at each event; a header's
    /// timestamp counts only now.
    pub async fn follow(&self, who: &Authentication, from: Option<Position>) -> Result<Follower, ApiError> {
        self.caller(who)?.require_scope(SCOPE.to_owned())?;
        let moved = self.node.moved.subscribe();
        let position = match from {
            None => {
                let shown = self.directory();
                Position::behind_in(shown.history().epoch, shown.revision())
            }
            Some(from) => {
                // Another node may have told of more than this one has seen.
                self.is_at_least(from.revision()).await.map_err(ApiError::of_store)?;
                from.in_history(self.directory().history()).unwrap_or(from)
            }
        };
        self.node.following.note_follower();
        Ok(Follower {
            auth: self.clone(),
            who: who.clone().for_streaming(),
            position,
            moved,
            read: UnreadRows::none(position),
            read_to: position,
            is_live: false,
            checked: None,
        })
    }
}

impl Auth {
    /// How often the store was asked for rows of the feed since the start, for all who follow.
    pub fn reads_of_the_feed(&self) -> u64 {
        self.node.recent_rows.reads.load(Ordering::Relaxed)
    }
}

impl Follower {
    /// Where it stands: what it has heard so far.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether the caller may still follow. Asked whenever something has changed; ask it also when nothing happens, because credentials end by
    /// themselves.
    pub fn check(&self) -> Result<(), ApiError> {
        self.auth.caller(&self.who)?.require_scope(SCOPE.to_owned())
    }

    /// Waits for what happens next. Nothing is lost when the future is dropped. Errors: the caller may no longer follow, or the store does not
    /// answer; the position stays.
    pub async fn next(&mut self) -> Result<FeedItem, ApiError> {
        loop {
            if let Some(position) = self.ready().await? {
                return Ok(FeedItem::Reset(position));
            }
            if let Some(event) = self.next_at_hand() {
                return Ok(FeedItem::Changed(event));
            }
        }
    }

    /// Waits until there is something at hand. Some: what happened since its position is no longer known, and it goes on from this one ([`FeedItem::Reset`]).
    /// Otherwise as [`Follower::next`].
    pub async fn ready(&mut self) -> Result<Option<Position>, ApiError> {
        loop {
            let (history, present) = *self.moved.borrow_and_update();
            self.check_at(present)?;
            if self.position.epoch != Some(history.epoch) {
                self.read = UnreadRows::none(self.position);
                return Ok(Some(self.reset(history, present)));
            }
            if !self.read.is_empty() {
                return Ok(None);
            }
            self.position = self.read_to;
            if present <= self.position.revision() {
                if present == self.position.revision() {
                    self.is_live = true;
                } else if !self.is_known_to_the_store().await? {
                    return Ok(Some(self.reset(history, present)));
                }
                // It was told of more by another node: this one comes along.
                if self.moved.changed().await.is_err() {
                    return Err(ApiError::Unavailable("the node ends".to_owned()));
                }
                continue;
            }
            match self.read_on(history, present).await {
                Ok(()) => {}
                Err(StoreError::Stale) => return Ok(Some(self.reset(history, present))),
                Err(error) => return Err(self.auth.store_error(error)),
            }
        }
    }

    /// Whether there has been what it has heard of, although this node does not answer from that yet.
    async fn is_known_to_the_store(&self) -> Result<bool, ApiError> {
        let (node, since) = (Arc::clone(&self.auth.node), self.position.revision());
        let read = async move { node.recent_rows.read(node.store.as_ref(), since).await };
        match self.auth.node.run_on_own_runtime(read).await {
            Ok(_) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(self.auth.store_error(error)),
        }
    }

    /// What is at hand already, without waiting: the next of several changes that were read at once. `None`: ask [`Follower::next`].
    pub fn next_at_hand(&mut self) -> Option<Event> {
        let epoch = self.may_read_on()?;
        let event = self.read.next(epoch)?;
        self.position = event.position;
        Some(event)
    }

    /// What is at hand already, as text, about as much as goes out at once. It is made once for all who follow, of what `write` says of each change: so all have to say
    /// the same. `None`: ask [`Follower::ready`].
    pub fn text_at_hand(&mut self, write: impl Fn(&Event) -> String) -> Option<Arc<[u8]>> {
        let epoch = self.may_read_on()?;
        while !self.read.is_empty() {
            let piece = self.read.next_piece(epoch, &write)?;
            if let Some(position) = piece.position {
                self.position = position;
                return Some(piece.text);
            }
        }
        None
    }

    /// The history that what is at hand belongs to, where there is some and the caller may hear of it.
    fn may_read_on(&mut self) -> Option<Epoch> {
        let (history, present) = *self.moved.borrow();
        let may = !self.read.is_empty() && self.position.epoch == Some(history.epoch) && self.check_at(present).is_ok();
        may.then_some(history.epoch)
    }

    /// Waits until it may send what is at hand: a few of all who follow, in the order of coming, whenever the thread has looked whether there is something else to do.
    pub async fn turn(&self) {
        let turns = Arc::clone(&self.auth.node.recent_rows.turns);
        // A task of its own: a follower that nobody asks for more, since its peer takes nothing, must not keep a turn from the others.
        let turn = tokio::spawn(async move {
            let turn = turns.acquire_owned().await;
            tokio::task::yield_now().await;
            drop(turn);
        });
        // It fails where the runtime ends, and the follower with it.
        drop(turn.await);
    }

    /// The same as [`Follower::check`], without the work where the answer can't be another.
    fn check_at(&mut self, present: Revision) -> Result<(), ApiError> {
        let now_ms = self.auth.now_ms();
        let is_known =
            |(revision, at_ms): (Revision, i64)| revision == present && (0..CHECKED_FOR_MS).contains(&now_ms.saturating_sub(at_ms));
        if self.checked.is_some_and(is_known) {
            return Ok(());
        }
        self.checked = None;
        self.check()?;
        self.checked = Some((present, now_ms));
        Ok(())
    }

    fn reset(&mut self, history: History, present: Revision) -> Position {
        self.position = Position::behind_in(history.epoch, present);
        self.read_to = self.position;
        self.auth.node.following.note_reset();
        self.position
    }

    /// Reads the next rows of the feed up to the revision that this node answers from. Where the node was opened, as it catches up: a follower is asked for more only
    /// when its peer takes something, and must keep no connection and no rows from the others until then.
    async fn read_on(&mut self, history: History, present: Revision) -> Result<(), StoreError> {
        let from = self.position;
        let (node, is_live) = (Arc::clone(&self.auth.node), self.is_live);
        let read = async move { node.recent_rows.after(node.store.as_ref(), history.epoch, from.revision(), present, is_live).await };
        let batches = self.auth.node.run_on_own_runtime(read).await?;
        self.read = UnreadRows::of(batches, from, present);
        // Where the feed has no rows up to the present revision, there is nothing in between.
        self.read_to = Position::behind_in(history.epoch, self.read.end().unwrap_or(present));
        Ok(())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.auth.node.following.note_follower_gone();
    }
}
