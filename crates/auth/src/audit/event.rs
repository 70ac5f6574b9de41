//! What followers of the changes are told of, and where they stand.

use std::fmt;
use std::str::FromStr;

use falconer_store::{ChangeKind, Epoch, History, Revision};

/// Where a follower stands: it has heard of everything up to a revision, and of the first rows of the next one that changed something.
///
/// As text `<epoch>-<revision>`, or `<epoch>-<revision>.<rows>` within a revision of several rows: `9f86d081884c7d65-17.2` has two rows of revision
/// 17 behind it, `9f86d081884c7d65-17` all. The epoch says which history of the database is meant; it may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Of this history, where that is known.
    pub(super) epoch: Option<Epoch>,
    /// Of this revision, and of all before, nothing is left.
    pub(super) after: i64,
    /// So many rows of the revision `after + 1` have been told too.
    pub(super) rows: usize,
}

impl Position {
    /// Behind everything of this revision, in whichever history.
    pub fn behind(revision: Revision) -> Position {
        Position { epoch: None, after: revision.0, rows: 0 }
    }

    /// Behind everything of this revision of a history.
    pub(super) fn behind_in(epoch: Epoch, revision: Revision) -> Position {
        Position { epoch: Some(epoch), ..Position::behind(revision) }
    }

    /// The same position with its epoch, where it is certain that this history is meant.
    pub(super) fn in_history(self, history: History) -> Option<Position> {
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where whoever has heard of it stands.
    pub position: Position,
    /// When, in the store's counting.
    pub revision: Revision,
    /// Of what.
    pub entity: Entity,
    /// What happened to it.
    pub what: ChangeKind,
}

/// What an [`Event`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A client, by clientId.
    Client(String),
    /// A role, by roleId.
    Role(String),
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
