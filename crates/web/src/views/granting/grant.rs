//! The grant page: who asks, why, what it gets, for how long, as whom.

use askama::Template;

use crate::pages::granting::Places;
use crate::views::words;
use crate::views::{Family, Layout, PersonLine, WidenedGrant};

#[derive(Template)]
#[template(path = "grant.html")]
pub(crate) struct GrantPage {
    pub layout: Layout,
    pub csrf: String,
    /// When this page was made: its button counts a moment later.
    pub form_time: String,
    /// Stands for what this page shows: only that can be granted.
    pub shown: String,
    /// Pressing Grant twice with one nonce gives one answer.
    pub nonce: String,
    /// What was understood of the query that the target sent, as a query: parsed and checked again on POST.
    pub request: String,
    pub places: Places,
    pub site: Site,
    /// HTML that [`crate::views::markdown::render`] made.
    pub description: String,
    /// What an agent wants to do, in its own words: plain text.
    pub purpose: Option<String>,
    /// Of a request for no particular scopes.
    pub bundles: Vec<Bundle>,
    /// How what is asked for stands to what the person has.
    pub summary: Option<String>,
    /// Where there is much to look at.
    pub search: Option<Search>,
    /// Of a request for scopes.
    pub groups: Vec<Group>,
    /// What was searched for is not in these. They stay in the form, ticked or not.
    pub others: Option<Others>,
    /// What the person calls the grant.
    pub name: String,
    /// That name is the one that whoever asks has written.
    pub proposes_name: bool,
    pub longest_name: usize,
    /// Where the application allows it.
    pub remember: Option<Remember>,
    pub identity: Option<IdentityLine>,
    pub lifetimes: Vec<Lifetime>,
    pub person: PersonLine,
    pub confirm: Option<Confirm>,
    /// The target without query and fragment.
    pub delivers_to: String,
    /// Where its tokens count, as services are compared; empty: everywhere.
    pub resources: Vec<String>,
    /// Of a device.
    pub device: Option<RequestingDevice>,
    /// Where more than a grant is asked for.
    pub more: Option<WidenedGrant>,
    pub error: Option<String>,
}

impl GrantPage {
    fn has_broad(&self) -> bool {
        self.bundles.iter().any(|bundle| bundle.broad)
            || self.groups.iter().chain(self.others.iter().flat_map(|others| &others.groups)).any(Group::has_broad)
    }
}

/// "Don't ask again".
#[derive(Clone, Debug)]
pub(crate) struct Remember {
    pub ticked: bool,
    /// For how long.
    pub label: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// What is searched for; empty: nothing.
    pub find: String,
    /// So many lines have it, of so many; of bundles nothing is counted.
    pub found: Option<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Others {
    pub count: usize,
    pub ticked: usize,
    pub groups: Vec<Group>,
}

impl Others {
    /// A line that has something to say is seen, also where it is not what was searched for.
    pub(crate) fn is_open(&self) -> bool {
        self.groups.iter().any(Group::is_open)
    }
}

/// Who asks, in the pieces that the title shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// `http://` where it is not https, else empty.
    pub scheme: String,
    /// `notes.`
    pub before: String,
    /// `example.com`, or the whole host where it has no registrable domain.
    pub registrable: String,
    /// `:8443` where the port is not the default.
    pub after: String,
    /// The host in its own letters, where it is internationalised.
    pub unicode: Option<String>,
    /// The name that the administrator registered.
    pub registered: Option<String>,
    /// It is Falconer's own command, which nobody registers.
    pub command_line: bool,
    pub initial: String,
    /// Where it is an application that says itself who it is.
    pub document: Option<DocumentedSite>,
    /// Where it is an application that has registered itself.
    pub registered_itself: Option<RegisteredItself>,
    /// What it is given goes to this computer.
    pub loopback: bool,
}

/// An application that nobody has registered.
#[derive(Clone, Debug, Default)]
pub(crate) struct DocumentedSite {
    /// Where its document is.
    pub address: String,
    /// What it calls itself there.
    pub name: Option<String>,
}

/// An application that nobody of this server has looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegisteredItself {
    /// Its `client_id`.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// When it did.
    pub at: String,
}

impl Site {
    fn name(&self) -> String {
        format!("{}{}{}", self.before, self.registrable, self.after)
    }
}

/// "Everything", or "these broad ones": one tick for many scopes.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    /// Of the form: `everything` or `broad`.
    pub field: &'static str,
    pub label: String,
    pub detail: String,
    pub ticked: bool,
    pub broad: bool,
    pub taken_away: Vec<String>,
    /// What it holds, or what was found in it.
    pub families: Vec<Family>,
    /// Whether something was searched for.
    pub found: bool,
    /// All that it holds.
    pub count: usize,
}

impl Bundle {
    pub(crate) fn shown(&self) -> String {
        let found: usize = self.families.iter().map(|family| family.scopes.len()).sum();
        if self.found { format!("Found {}", words::count(found, "scope")) } else { format!("Show {}", shown(self.count)) }
    }
}

/// A piece of a sentence; names are set apart.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub text: String,
    pub strong: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// `notes`, `auth`, `roles`: the service that the scopes are about.
    pub service: String,
    pub lines: Vec<Line>,
    /// There are many: only how many is seen at first.
    pub folded: bool,
}

impl Group {
    pub(crate) fn has_broad(&self) -> bool {
        self.lines.iter().any(|line| line.broad && !line.lacking)
    }

    /// What needs to be seen stands open.
    pub(crate) fn is_open(&self) -> bool {
        self.lines.iter().any(|line| !line.taken_away.is_empty() || line.star.as_ref().is_some_and(|star| star.wrong.is_some()))
    }

    pub(crate) fn counts(&self) -> String {
        let ticked = self.lines.iter().filter(|line| line.ticked).count();
        format!("{}, {ticked} ticked", words::count(self.lines.len(), "scope"))
    }
}

/// Where something narrower than a star is written.
#[derive(Clone, Debug)]
pub(crate) struct StarField {
    pub prefix: String,
    pub written: String,
    pub wrong: Option<String>,
}

/// One scope that is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub key: String,
    /// The scope in words.
    pub label: Vec<Words>,
    pub scope: String,
    /// What else there is to say: "You have only a part of this", "Gives 12 scopes".
    pub details: Vec<String>,
    /// What goes because another tick is missing.
    pub taken_away: Vec<String>,
    /// What the person has of it, where that is not just what is asked for.
    pub has: Vec<String>,
    /// What the site gets, where that is something else than what is asked for, and little.
    pub gets: Vec<String>,
    /// The same, where it is much.
    pub gives: Vec<String>,
    /// The last grant to this site did not give it.
    pub new: bool,
    pub star: Option<StarField>,
    pub ticked: bool,
    pub broad: bool,
    pub lacking: bool,
}

impl Line {
    pub(crate) fn count(&self) -> String {
        shown(self.gives.len())
    }
}

fn shown(number: usize) -> String {
    match number {
        1 => "the scope".to_owned(),
        _ => format!("all {}", words::count(number, "scope")),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct IdentityLine {
    /// What is told, in words.
    pub person: String,
    /// The names of groups that are told.
    pub groups: Vec<String>,
    pub origins: Vec<String>,
    pub ticked: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Lifetime {
    pub value: i64,
    /// `1 day`
    pub label: String,
    pub checked: bool,
}

/// What a device shows, and from where it asked.
#[derive(Clone, Debug)]
pub(crate) struct RequestingDevice {
    /// `BCDF-GHJK`
    pub code: String,
    pub address: String,
    /// `a minute ago`
    pub since: String,
    /// Date and time.
    pub asked_at: String,
}

/// The host has to be typed.
#[derive(Clone, Debug)]
pub(crate) struct Confirm {
    pub host: String,
    pub typed: String,
    /// What is wrong with it; the field is marked, and is where the person goes on.
    pub wrong: Option<&'static str>,
}
