//! Following the changes of clients and roles: each one once, in order, and resumed where a follower left off.
//!
//! A follower pulls: nothing is queued for it but what it asked for, so that a slow one costs no memory. What it asks for was read once for all
//! (`recent`). It wakes when the directory moves, and hears of a revision when this node answers from it, so that what it then reads is at least
//! as new as what it heard.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::{Change, ChangeKind, Epoch, History, KeyKind, Revision, StoreError};
use tokio::sync::watch;

use crate::audit::recent::{Row, SharedText};
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;

/// What it takes to follow.
const SCOPE: &str = "auth:events";

/// Credentials end by themselves: after so long they are looked at again, although nothing else has changed.
const CHECKED_FOR_MS: i64 = 1000;

/// Where a follower stands: it has heard of everything up to a revision, and of the first rows of the next one that changed something.
///
/// As text `<epoch>-<revision>`, or `<epoch>-<revision>.<rows>` within a revision of several rows: `9f86d081884c7d65-17.2` has two rows of revision
/// 17 behind it, `9f86d081884c7d65-17` all. The epoch says which history of the database is meant; it may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Of this history, where that is known.
    epoch: Option<Epoch>,
    /// Of this revision, and of all before, nothing is left.
    after: i64,
    /// So many rows of the revision `after + 1` have been told too.
    rows: usize,
}

impl Position {
    /// Behind everything of this revision, in whichever history.
    pub fn behind(revision: Revision) -> Position {
        Position { epoch: None, after: revision.0, rows: 0 }
    }

    /// Behind everything of this revision of a history.
    fn behind_in(epoch: Epoch, revision: Revision) -> Position {
        Position { epoch: Some(epoch), ..Position::behind(revision) }
    }

    /// The same position with its epoch, where it is certain that this history is meant.
    fn in_history(self, history: History) -> Option<Position> {
        let is_certain = match self.epoch {
            Some(epoch) => epoch == history.epoch,
            // Up to where it began, it is the same as the one before; a database that was never restored has but one.
            None => history.start == Revision(0) || self.after.saturating_add(i64::from(self.rows > 0)) <= history.start.0,
        };
        is_certain.then_some(Position { epoch: Some(history.epoch), ..self })
    }

    /// The revision up to which nothing is left.
    pub fn revision(self) -> Revision {
        Revision(self.after)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(epoch) = self.epoch {
            write!(f, "{epoch}-")?;
        }
        match self.rows {
            0 => write!(f, "{}", self.after),
            rows => write!(f, "{}.{rows}", self.after.saturating_add(1)),
        }
    }
}

/// Text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is a revision such as 17, or the id of an event such as 9f86d081884c7d65-17.2")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Position, NotAPosition> {
        let number = |digits: &str| {
            let fine = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<i64>().ok().filter(|_| fine).ok_or(NotAPosition)
        };
        let (epoch, text) = match text.split_once('-') {
            Some((epoch, rest)) => (Some(epoch.parse().map_err(|_| NotAPosition)?), rest),
            None => (None, text),
        };
        match text.split_once('.') {
            None => Ok(Position { epoch, after: number(text)?, rows: 0 }),
            Some((revision, rows)) => {
                let (revision, rows) = (number(revision)?, usize::try_from(number(rows)?).map_err(|_| NotAPosition)?);
                if revision == 0 || rows == 0 {
                    return Err(NotAPosition);
                }
                Ok(Position { epoch, after: revision.saturating_sub(1), rows })
            }
        }
    }
}

/// A change of a client or a role.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where whoever has heard of it stands.
    pub position: Position,
    /// When, in the store's counting.
    pub revision: Revision,
    /// Of what.
    pub entity: Entity,
    /// What happened to it.
    pub what: ChangeKind,
    /// What is made of it for all who hear it.
    pub text: SharedText,
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        (self.position, self.revision, &self.entity, self.what) == (other.position, other.revision, &other.entity, other.what)
    }
}

impl Eq for Event {}

/// What an [`Event`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A client, by clientId.
    Client(String),
    /// A role, by roleId.
    Role(String),
}

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
            read: UnreadRows::of(Vec::new(), position),
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
            let (history, present) = *self.moved.borrow_and_update();
            self.check_at(present)?;
            if self.position.epoch != Some(history.epoch) {
                self.read = UnreadRows::of(Vec::new(), self.position);
                return Ok(self.reset(history, present));
            }
            if let Some(event) = self.read.next(history.epoch) {
                self.position = event.position;
                return Ok(FeedItem::Changed(event));
            }
            self.position = self.read_to;
            if present <= self.position.revision() {
                if present == self.position.revision() {
                    self.is_live = true;
                } else if !self.is_known_to_the_store().await? {
                    return Ok(self.reset(history, present));
                }
                // It was told of more by another node: this one comes along.
                if self.moved.changed().await.is_err() {
                    return Err(ApiError::Unavailable("the node ends".to_owned()));
                }
                continue;
            }
            match self.read_on(history, present).await {
                Ok(()) => {}
                Err(StoreError::Stale) => return Ok(self.reset(history, present)),
                Err(error) => return Err(self.auth.store_error(error)),
            }
        }
    }

    /// Whether there has been what it has heard of, although this node does not answer from that yet.
    async fn is_known_to_the_store(&self) -> Result<bool, ApiError> {
        let node = &self.auth.node;
        match node.recent_rows.read(node.store.as_ref(), self.position.revision()).await {
            Ok(_) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(self.auth.store_error(error)),
        }
    }

    /// What is at hand already, without waiting: the next of several changes that were read at once. `None`: ask [`Follower::next`].
    pub fn next_at_hand(&mut self) -> Option<Event> {
        let (history, present) = *self.moved.borrow();
        if self.read.rows.is_empty() || self.position.epoch != Some(history.epoch) || self.check_at(present).is_err() {
            return None;
        }
        let event = self.read.next(history.epoch)?;
        self.position = event.position;
        Some(event)
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

    fn reset(&mut self, history: History, present: Revision) -> FeedItem {
        self.position = Position::behind_in(history.epoch, present);
        self.read_to = self.position;
        self.auth.node.following.note_reset();
        FeedItem::Reset(self.position)
    }

    /// Reads the next rows of the feed up to the revision that this node answers from.
    async fn read_on(&mut self, history: History, present: Revision) -> Result<(), StoreError> {
        let from = self.position;
        let node = &self.auth.node;
        let rows = node.recent_rows.after(node.store.as_ref(), history.epoch, from.revision(), present, self.is_live).await?;
        let Some(last) = rows.last().map(|row| &row.change) else {
            // The feed has no rows of the present revision: so there is nothing in between.
            self.read_to = Position::behind_in(history.epoch, present);
            return Ok(());
        };
        self.read_to = Position::behind_in(history.epoch, last.revision);
        self.read = UnreadRows::of(rows, from);
        Ok(())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.auth.node.following.note_follower_gone();
    }
}

/// Rows that a follower shares with the others, and how many it has read. No event is made of a row before the follower comes to it: a revision may have thousands.
struct UnreadRows {
    rows: VecDeque<Arc<Row>>,
    /// Where the follower stood when they were read.
    from: Position,
    /// The revision of the last row that was taken, and how many rows of it were taken.
    last: Option<(Revision, usize)>,
}

impl UnreadRows {
    fn of(rows: Vec<Arc<Row>>, from: Position) -> UnreadRows {
        UnreadRows { rows: rows.into(), from, last: None }
    }

    fn next(&mut self, epoch: Epoch) -> Option<Event> {
        loop {
            let shared = self.rows.pop_front()?;
            let row = &shared.change;
            let rows = self.last.filter(|(revision, _)| *revision == row.revision).map_or(1, |(_, rows)| rows.saturating_add(1));
            self.last = Some((row.revision, rows));
            let before = row.revision.0.saturating_sub(1);
            let was_passed_on = before == self.from.after && rows <= self.from.rows;
            let Some(entity) = entity_of(row).filter(|_| !was_passed_on) else { continue };
            // Whoever has heard the last event of a revision has heard all of it.
            let mut others = self.rows.iter().map(|other| &other.change).take_while(|other| other.revision == row.revision);
            let position = match others.any(|other| matches!(other.key_kind, KeyKind::Client | KeyKind::Role)) {
                true => Position { epoch: Some(epoch), after: before, rows },
                false => Position::behind_in(epoch, row.revision),
            };
            return Some(Event { position, revision: row.revision, entity, what: row.what, text: shared.text.clone() });
        }
    }
}

/// What a row tells of, where followers hear of it.
fn entity_of(row: &Change) -> Option<Entity> {
    match row.key_kind {
        KeyKind::Client => Some(Entity::Client(row.key.clone())),
        KeyKind::Role => Some(Entity::Role(row.key.clone())),
        KeyKind::Grant | KeyKind::Identity | KeyKind::Person | KeyKind::Issuer | KeyKind::Application => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        for text in ["0", "17", "17.1", "17.25", "1.1", "9223372036854775807", "9f86d081884c7d65-0", "9f86d081884c7d65-17.2"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "+1", "a", "1.", ".1", "1.0", "0.1", "1.2.3", "1.-2", " 1", "99999999999999999999", "1.99999999999999999999"]
        {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text}");
        }
    }
}
