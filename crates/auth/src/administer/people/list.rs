//! The list of people: an identity a row, in the order of the identities, so that whatever is linked meanwhile, each is listed exactly once.

use crate::directory::entries::Identity;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;
use crate::view::{HistoryEntry, Page, PageQuery, Start};

/// A search looks at so many identities for one page at most; the next page goes on from there.
const MOST_SEARCHED: usize = 10_000;

/// Which identities are listed: those that all of this fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// A part of the identity, of the name or of the e-mail address, in any letter case; empty: any.
    pub text: String,
    /// A group that they are in.
    pub group: Option<String>,
    /// Whether they may not act, by themselves or as a person.
    pub disabled: Option<bool>,
}

/// An identity in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// `<provider>/<subject>`
    pub identity: String,
    /// The id of the person that it belongs to.
    pub person: String,
    /// The identity that names what is new of the person.
    pub name: String,
    /// For people to read.
    pub display_name: String,
    /// As the provider says.
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
    /// Whether nobody may act by it: it is disabled, or the person is.
    pub disabled: bool,
}

impl Auth {
    /// Identities that fit, ascending; accounts that were deleted are not among them. A page may hold fewer than were asked for although there are more.
    pub fn list_people(&self, who: &Authentication, filter: &PeopleFilter, query: &PageQuery) -> Result<Page<PersonRow>, ApiError> {
        let reading = self.reading(who)?;
        reading.caller.require_scope("auth:list-people".to_owned())?;
        let text = filter.text.trim().to_lowercase();
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let snapshot = &reading.snapshot;
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = query.start.last_id();
        let mut all = snapshot.identities_after(last).enumerate().peekable();
        while let Some((at, identity)) = all.next() {
            last = identity.record.identity.as_str();
            page.items.extend(row(snapshot, identity).filter(|row| fits(row, filter, &text)));
            if page.items.len() >= limit || at + 1 >= MOST_SEARCHED {
                page.next = all.peek().map(|_| Start::After(last.to_owned()));
                break;
            }
        }
        Ok(page)
    }

    /// What happened to a person, to each of their identities and to their local accounts, oldest first. It begins behind the row of a number, or at the first.
    pub async fn person_history(&self, who: &Authentication, identity: &str, query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        let reading = self.reading(who)?;
        reading.caller.require_scope("auth:audit-history:person".to_owned())?;
        self.person_history_in(&reading.snapshot, identity, query).await
    }

    /// The same for somebody on the server's machine.
    pub async fn person_history_here(&self, identity: &str, query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        self.person_history_in(&self.directory(), identity, query).await
    }

    async fn person_history_in(&self, snapshot: &Snapshot, identity: &str, query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        let mut entities = vec![("identity", identity.to_owned())];
        if let Some(person) = snapshot.person_of(identity) {
            entities.push(("person", person.record.id.clone()));
            let others = snapshot.linked(&person.record.id).filter(|linked| linked.record.identity != identity);
            entities.extend(others.map(|linked| ("identity", linked.record.identity.clone())));
        }
        let accounts: Vec<_> =
            entities.iter().filter_map(|(_, name)| name.strip_prefix("local/")).map(|name| ("account", name.to_owned())).collect();
        entities.extend(accounts);
        self.history_of(&entities, query).await
    }
}

/// `None` for an account that was deleted: it gives nothing at all any more.
fn row(snapshot: &Snapshot, identity: &Identity) -> Option<PersonRow> {
    let record = &identity.record;
    let person = snapshot.person(&record.person)?;
    let is_gone = record.disabled && record.scopes.is_empty() && record.provider == "local";
    (!is_gone).then(|| PersonRow {
        identity: record.identity.clone(),
        person: record.person.clone(),
        name: person.record.name.clone(),
        display_name: record.display_name.clone(),
        email: record.email.clone(),
        email_verified: record.email_verified,
        groups: record.groups.clone(),
        disabled: record.disabled || person.record.disabled,
    })
}

fn fits(row: &PersonRow, filter: &PeopleFilter, text: &str) -> bool {
    let holds = |field: &str| field.to_lowercase().contains(text);
    (text.is_empty() || holds(&row.identity) || holds(&row.display_name) || row.email.as_deref().is_some_and(holds))
        && filter.group.as_ref().is_none_or(|group| row.groups.contains(group))
        && filter.disabled.is_none_or(|disabled| row.disabled == disabled)
}
