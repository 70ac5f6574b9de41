//! What a follower has not read yet of the rows that it shares with the others.

use std::collections::VecDeque;
use std::sync::Arc;

use falconer_store::{Change, Epoch, KeyKind, Revision};

use super::event::{Entity, Event, Position};
use super::recent::{Batch, Piece};

/// Rows that a follower shares with the others, and how far it has come. No event is made of a row before the follower comes to it: a revision may have thousands.
#[derive(Clone)]
pub(super) struct UnreadRows {
    batches: VecDeque<Arc<Batch>>,
    /// The next row of the first batch.
    at: usize,
    /// Later rows are not shown yet.
    shown: Revision,
    /// Where the follower stood when they were read.
    from: Position,
    /// The revision of the last row that was taken, and how many rows of it were taken.
    last: Option<(Revision, usize)>,
}

impl UnreadRows {
    pub(super) fn none(from: Position) -> UnreadRows {
        UnreadRows::of(Vec::new(), from, from.revision())
    }

    /// The rows of these batches behind `from`.
    pub(super) fn of(batches: Vec<Arc<Batch>>, from: Position, shown: Revision) -> UnreadRows {
        let at = batches.first().map_or(0, |batch| batch.until(from.revision()));
        let mut rows = UnreadRows { batches: batches.into(), at, shown, from, last: None };
        rows.leave_what_is_read();
        rows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The revision of the last row.
    pub(super) fn end(&self) -> Option<Revision> {
        let last = self.batches.back()?;
        last.rows().get(last.until(self.shown).checked_sub(1)?).map(|row| row.revision)
    }

    /// The first batch has a row that was not read, or there is none.
    fn leave_what_is_read(&mut self) {
        while self.batches.front().is_some_and(|batch| self.at >= batch.until(self.shown)) {
            self.batches.pop_front();
            self.at = 0;
        }
    }

    /// What the next rows come to that go out together.
    pub(super) fn next_piece(&mut self, epoch: Epoch, write: &impl Fn(&Event) -> String) -> Option<Piece> {
        let batch = Arc::clone(self.batches.front()?);
        let end = batch.end_of_piece(self.at);
        let is_all_shown = end <= batch.until(self.shown);
        let is_passed_on_in_part = self.from.rows > 0 && batch.rows().get(self.at)?.revision.0.saturating_sub(1) == self.from.after;
        if is_all_shown && !is_passed_on_in_part {
            let shared = batch.piece(self.at, || self.clone().written(&batch, end, epoch, write)).cloned();
            if let Some(piece) = shared {
                (self.at, self.last) = (end, piece.last);
                self.leave_what_is_read();
                return Some(piece);
            }
        }
        let piece = self.written(&batch, end.min(batch.until(self.shown)), epoch, write);
        self.leave_what_is_read();
        Some(piece)
    }

    /// What the rows of the first batch up to `end` come to.
    fn written(&mut self, batch: &Batch, end: usize, epoch: Epoch, write: &impl Fn(&Event) -> String) -> Piece {
        let (mut text, mut position) = (Vec::new(), None);
        while self.at < end
            && let Some(row) = batch.rows().get(self.at)
        {
            if let Some(event) = self.take(batch, row, epoch) {
                text.extend_from_slice(write(&event).as_bytes());
                position = Some(event.position);
            }
        }
        Piece { text: text.into(), position, last: self.last }
    }

    pub(super) fn next(&mut self, epoch: Epoch) -> Option<Event> {
        while let Some(batch) = self.batches.front().map(Arc::clone) {
            let row = batch.rows().get(self.at)?;
            let event = self.take(&batch, row, epoch);
            self.leave_what_is_read();
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Takes the next row, which is this one; None where followers hear nothing of it.
    fn take(&mut self, batch: &Batch, row: &Change, epoch: Epoch) -> Option<Event> {
        let rows = self.last.filter(|(revision, _)| *revision == row.revision).map_or(1, |(_, rows)| rows.saturating_add(1));
        (self.at, self.last) = (self.at.saturating_add(1), Some((row.revision, rows)));
        let before = row.revision.0.saturating_sub(1);
        let was_passed_on = before == self.from.after && rows <= self.from.rows;
        let entity = entity_of(row).filter(|_| !was_passed_on)?;
        // Whoever has heard the last event of a revision has heard all of it.
        let mut others = batch.rows().iter().skip(self.at).take_while(|other| other.revision == row.revision);
        let position = match others.any(|other| matches!(other.key_kind, KeyKind::Client | KeyKind::Role)) {
            true => Position { epoch: Some(epoch), after: before, rows },
            false => Position::behind_in(epoch, row.revision),
        };
        Some(Event { position, revision: row.revision, entity, what: row.what })
    }
}

/// What a row tells of, where followers hear of it.
fn entity_of(row: &Change) -> Option<Entity> {
    match row.key_kind {
        KeyKind::Client => Some(Entity::Client(row.key.clone())),
        KeyKind::Role => Some(Entity::Role(row.key.clone())),
        KeyKind::Grant | KeyKind::Identity | KeyKind::Person | KeyKind::Issuer | KeyKind::Application | KeyKind::ScopeRegistry => None,
    }
}
