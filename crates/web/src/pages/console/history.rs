//! The whole history: who did what to which record, with filters in the address, so that a page of it can be sent to somebody.

use axum::response::Response;
use falconer_auth::{AuditEntry, HistoryFilter};
use http::StatusCode;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{HISTORY, encode, lists, person, problem, sign_in};
use crate::pages::console::registries;
use crate::pages::refusal::Refusal;
use crate::pages::visit::Visit;
use crate::views::people::person_href;
use crate::views::words;
use crate::views::{AuditPage, AuditRow, Kind, html};

/// So many rows a page.
const ROWS: u32 = 50;
/// A filter may be this long, in characters, and something unknown that is kept with a row is shown up to here.
const LONGEST: usize = 2000;
/// So many scopes that were added or removed are shown.
const SHOWN: usize = 20;

/// `GET /auth/audit?actor=&type=&id=&action=&from=&until=&before=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, HISTORY.0)) };
    let who = person(session);
    let typed = |name: &str| -> String { visit.parameter(name).unwrap_or_default().trim().chars().take(LONGEST).collect() };
    let acts = visit.web.auth.console_acts(&who).map_err(problem)?;
    let mut page = AuditPage {
        layout: visit.layout(),
        others: lists(acts, HISTORY.0),
        actor: typed("actor"),
        kind: typed("type"),
        id: typed("id"),
        action: typed("action"),
        from: typed("from"),
        until: typed("until"),
        kinds: None,
        rows: Vec::new(),
        next: None,
        stopped: false,
        error: None,
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let days = day(&page.from, 0).and_then(|from_ms| Ok((from_ms, day(&page.until, 1)?)));
    let (from_ms, until_ms) = match days {
        Ok(days) => days,
        Err(refusal) => return Ok(refused(page, refusal)),
    };
    let wanted = HistoryFilter {
        actor: some(&page.actor),
        entity_type: some(&page.kind),
        entity_id: some(&page.id),
        types: None,
        action: some(&page.action),
        from_ms,
        until_ms,
        before: visit.parameter("before").and_then(|before| before.parse().ok()),
    };
    let found = match visit.web.auth.whole_history(&who, &wanted, ROWS).await {
        Ok(found) => found,
        // Whoever may see nothing of it gets no form either.
        Err(error @ falconer_auth::ApiError::InsufficientScopes { .. }) => return Err(problem(error)),
        Err(error) => return Ok(refused(page, Refusal::of(error)?)),
    };
    page.next = found.next.map(|before| {
        let fields = [&page.actor, &page.kind, &page.id, &page.action, &page.from, &page.until].map(|text| encode(text));
        let [actor, kind, id, action, from, until] = fields;
        format!("{}?actor={actor}&type={kind}&id={id}&action={action}&from={from}&until={until}&before={before}", HISTORY.0)
    });
    page.stopped = page.next.is_some() && found.rows.len() < ROWS as usize;
    page.kinds = found.types;
    let directory = visit.web.auth.directory();
    // A directory may have pushed somebody who has never signed in: there is no page of them.
    page.rows = found.rows.into_iter().map(|entry| row(entry, |identity| directory.identity(identity).is_some())).collect();
    Ok(html(StatusCode::OK, Row::Page, &page))
}

fn refused(page: AuditPage, refusal: Refusal) -> Response {
    html(refusal.status, Row::Page, &AuditPage { error: Some(refusal.text), ..page })
}

/// The beginning of a day in UTC, or of a later one.
fn day(text: &str, days: i64) -> Result<Option<i64>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let start = text.parse::<Date>().ok().and_then(|date| TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok());
    let start = start.ok_or_else(|| Refusal::invalid("A day is written like `2026-08-31`."))?;
    Ok(Some(start.as_millisecond().saturating_add(days * falconer_auth::DAY_MS)))
}

fn row(entry: AuditEntry, is_person: impl Fn(&str) -> bool) -> AuditRow {
    let href = match entry.entity_type.as_str() {
        "client" => Some(Kind::Client.href(&entry.entity_id)),
        "role" => Some(Kind::Role.href(&entry.entity_id)),
        "identity" => is_person(&entry.entity_id).then(|| person_href(&entry.entity_id)),
        "account" => Some(person_href(&format!("local/{}", entry.entity_id))),
        "scope-registry" => Some(registries::href(&entry.entity_id)),
        _ => None,
    };
    let mut row = AuditRow {
        at: words::date_time(entry.at_ms),
        at_machine: words::machine_time(entry.at_ms),
        revision: entry.revision.0,
        who: entry.actor,
        grant: entry.grant,
        what: entry.action,
        kind: entry.entity_type,
        id: entry.entity_id,
        href,
        added: Vec::new(),
        removed: Vec::new(),
        more: 0,
        changed: Vec::new(),
    };
    match entry.detail {
        Some(Value::Object(detail)) => detail.into_iter().for_each(|(name, value)| detail_of(&mut row, &name, &value)),
        Some(other) => row.changed.push(("Detail".to_owned(), None, cut(&other.to_string()))),
        None => {}
    }
    row
}

/// One member of what is kept with a row.
fn detail_of(row: &mut AuditRow, name: &str, value: &Value) {
    let texts = |name: &str| -> Vec<String> {
        let all = value.get(name).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let list = match name {
        "groups" => Some("Groups"),
        "members" => Some("Members"),
        _ => None,
    };
    if let (Some(title), true) = (list, value.is_object()) {
        let listed = |word: &str, name: &str| {
            Some(texts(name)).filter(|texts| !texts.is_empty()).map(|texts| format!("{word} {}", texts.join(", ")))
        };
        let more = value.get("more").and_then(Value::as_u64).map(|more| format!("{more} more"));
        let parts: Vec<String> = [listed("added", "added"), listed("removed", "removed"), more].into_iter().flatten().collect();
        row.changed.push((title.to_owned(), None, cut(&parts.join("; "))));
        return;
    }
    if name == "scopes" && value.is_object() {
        (row.added, row.removed) = (texts("added"), texts("removed"));
        let shown = row.added.len().min(SHOWN) + row.removed.len().min(SHOWN);
        let all = row.added.len() + row.removed.len();
        row.more = (all - shown) as u64 + value.get("more").and_then(Value::as_u64).unwrap_or_default();
        row.added.truncate(SHOWN);
        row.removed.truncate(SHOWN);
        return;
    }
    let said = |value: &Value| match (name, value) {
        ("expiresMs", Value::Number(at_ms)) => at_ms.as_i64().map_or_else(|| at_ms.to_string(), words::date_time),
        (_, Value::String(text)) => cut(text),
        (_, Value::Null) => "none".to_owned(),
        (_, Value::Bool(is)) => if *is { "yes" } else { "no" }.to_owned(),
        (_, other) => cut(&other.to_string()),
    };
    let title = match name {
        "description" => "Description".to_owned(),
        "expiresMs" => "Ends".to_owned(),
        "deleteOnExpiration" => "May be deleted at its end".to_owned(),
        "disabled" => "Disabled".to_owned(),
        "displayName" => "Name".to_owned(),
        "email" => "E-mail address".to_owned(),
        "emailVerified" => "Address is verified".to_owned(),
        "grant" => "Bound to the grant".to_owned(),
        "gone" => "Gone at the provider".to_owned(),
        "username" | "userName" => "User name".to_owned(),
        "externalId" => "The directory's id".to_owned(),
        "active" => "Active in the directory".to_owned(),
        "why" => "Why".to_owned(),
        other => other.chars().take(100).collect(),
    };
    match (value.get("before"), value.get("after")) {
        (Some(before), Some(after)) => row.changed.push((title, Some(said(before)), said(after))),
        _ => row.changed.push((title, None, said(value))),
    }
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
