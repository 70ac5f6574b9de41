//! What a check says.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::output;

/// How long one check may take.
const LONGEST: Duration = Duration::from_secs(20);

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Look,
    /// Something does not work, or will not.
    Wrong,
}

impl Level {
    /// `ok`, `look` or `wrong`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Look => "look",
            Level::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
pub struct Finding {
    /// Such as `disk`.
    check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What there is. Never a secret.
    found: String,
    /// What to do about it.
    todo: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: String) -> Finding {
        Finding { check, level: Level::Ok, found, todo: None }
    }

    /// Somebody should look at it.
    pub fn look(check: &'static str, found: String, todo: impl Into<String>) -> Finding {
        Finding { check, level: Level::Look, found, todo: Some(todo.into()) }
    }

    /// It is wrong.
    pub fn wrong(check: &'static str, found: String, todo: impl Into<String>) -> Finding {
        Finding { check, level: Level::Wrong, found, todo: Some(todo.into()) }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "check": self.check, "level": self.level.as_str(), "found": self.found, "todo": self.todo })
    }

    /// For people.
    pub fn print(&self) -> Result<()> {
        output::line(&output::harmless(&format!("{:<5} {}: {}", self.level.as_str(), self.check, self.found)))?;
        self.todo.iter().try_for_each(|todo| output::line(&output::harmless(&format!("      -> {todo}"))))
    }
}

/// What something answers, unless it takes too long.
pub async fn within<T>(what: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(LONGEST, what).await.map_err(|_| format!("no answer within {} seconds", LONGEST.as_secs()))
}
