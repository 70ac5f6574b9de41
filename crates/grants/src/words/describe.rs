//! Scopes in words that no service has published: what the protocol's own scopes allow is known, of others only their parts.

use super::auth_scopes::{ABOUT_ANY, SENTENCES};

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPart {
    /// The text, to be escaped.
    pub text: String,
    /// A name, to be set apart from the words around it.
    pub strong: bool,
}

/// A scope in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Under which heading it belongs: the service's name, such as `notes` or `auth`; `roles` for `assume:`; `other`.
    pub group: String,
    /// One sentence without a full stop.
    pub label: Vec<LabelPart>,
}

/// Says in words what a scope allows.
pub(crate) fn describe(scope: &str) -> Description {
    if let Some(role) = scope.strip_prefix("assume:") {
        return of_role(role);
    }
    let Some((service, rest)) = scope.split_once(':') else {
        return of_bare(scope);
    };
    let label = if service == "auth" { of_auth(rest) } else { of_other(rest) };
    Description { group: service.to_owned(), label }
}

fn of_role(role: &str) -> Description {
    let label = match role.strip_suffix('*') {
        Some("") => vec![words("Everything that any role gives")],
        Some(prefix) => vec![words("Everything that the roles that begin with "), name(prefix), words(" give")],
        None => {
            let (before, of, after) = match role.split_once(':') {
                Some((kind, of)) if kind.ends_with("-group") || kind.ends_with("-team") => ("Everything that members of ", of, " get"),
                // It is more than power: services tell by it who somebody is.
                Some((kind, of)) if kind.ends_with("-user") || kind == "login-identity" => {
                    ("Learn who you are: ", of, ", and do everything that belongs to this person")
                }
                _ => ("Everything that the role ", role, " gives"),
            };
            vec![words(before), name(of), words(after)]
        }
    };
    Description { group: "roles".to_owned(), label }
}

fn of_bare(scope: &str) -> Description {
    let label = match scope.strip_suffix('*') {
        Some("") => vec![words("Everything")],
        Some(prefix) => vec![words("Everything that begins with "), name(prefix)],
        None => vec![name(scope)],
    };
    Description { group: "other".to_owned(), label }
}

fn of_auth(rest: &str) -> Vec<LabelPart> {
    for (prefix, sentence) in SENTENCES {
        let has_object = prefix.ends_with(':');
        if let Some(object) = rest.strip_prefix(prefix)
            && (has_object || object.is_empty())
        {
            return sentence_about(sentence, object, has_object);
        }
    }
    of_other(rest)
}

/// `read:zap/*` as "Read zap/...".
fn of_other(rest: &str) -> Vec<LabelPart> {
    match rest.split_once(':') {
        Some((action, object)) => sentence_about(&capitalized(action), object, true),
        None => match rest.strip_suffix('*') {
            Some("") => vec![words("Everything")],
            Some(prefix) => vec![words("Everything that begins with "), name(prefix)],
            None => vec![words(&capitalized(rest))],
        },
    }
}

fn sentence_about(sentence: &str, object: &str, has_object: bool) -> Vec<LabelPart> {
    if !has_object {
        return vec![words(sentence)];
    }
    match object.strip_suffix('*') {
        Some("") => vec![words(&about_any(sentence))],
        Some(prefix) => vec![words(&format!("{sentence} ")), name(prefix), words(" and whatever follows")],
        None => vec![words(&format!("{sentence} ")), name(object)],
    }
}

/// The sentence where it is about whatever there is.
fn about_any(sentence: &str) -> String {
    for (end, any) in ABOUT_ANY {
        if let Some(before) = sentence.strip_suffix(*end) {
            return format!("{before}{any}");
        }
    }
    // `Read anything`, but `Create task: anything`.
    let colon = if sentence.contains(' ') { ":" } else { "" };
    format!("{sentence}{colon} anything")
}

fn capitalized(word: &str) -> String {
    let spaced = word.replace(['-', '_'], " ");
    let mut letters = spaced.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => spaced,
    }
}

pub(super) fn words(text: &str) -> LabelPart {
    LabelPart { text: text.to_owned(), strong: false }
}

pub(super) fn name(text: &str) -> LabelPart {
    LabelPart { text: text.to_owned(), strong: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_as_sentences() {
        for (scope, group, sentence) in [
            ("notes:read:zap/*", "notes", "Read <zap/> and whatever follows"),
            ("notes:write:zap/releases", "notes", "Write <zap/releases>"),
            ("notes:delete-all:*", "notes", "Delete all: anything"),
            ("notes:*", "notes", "Everything"),
            ("notes:rea*", "notes", "Everything that begins with <rea>"),
            ("queue:ping", "queue", "Ping"),
            ("auth:create-client:local/ann/*", "auth", "Create clients named <local/ann/> and whatever follows"),
            ("auth:get-role:*", "auth", "See roles of any name"),
            ("auth:client-audit-history:*", "auth", "See what was changed by anybody"),
            ("auth:audit-history:client", "auth", "See what happened to records of the kind <client>"),
            ("auth:reset-person:*", "auth", "Make links with which passwords are set for people of any name"),
            ("auth:explain:*", "auth", "See why a call was refused"),
            ("auth:azure-table:list-tables:*", "auth", "See the list of tables, in the Azure account: anything"),
            ("auth:list-audit-history:x", "auth", "List audit history <x>"),
            ("notes:read:*", "notes", "Read anything"),
            ("auth:list-clients", "auth", "See the list of clients"),
            ("auth:list-clients-not", "auth", "List clients not"),
            ("auth:*", "auth", "Everything"),
            ("assume:local-group:zap", "roles", "Everything that members of <zap> get"),
            ("assume:github-team:org/team", "roles", "Everything that members of <org/team> get"),
            ("assume:login-identity:local/ann", "roles", "Learn who you are: <local/ann>, and do everything that belongs to this person"),
            ("assume:mozilla-user:a@b", "roles", "Learn who you are: <a@b>, and do everything that belongs to this person"),
            ("assume:everybody", "roles", "Everything that the role <everybody> gives"),
            ("assume:project:*", "roles", "Everything that the roles that begin with <project:> give"),
            ("assume:*", "roles", "Everything that any role gives"),
            ("*", "other", "Everything"),
            ("no*", "other", "Everything that begins with <no>"),
            ("plain", "other", "<plain>"),
            ("", "other", "<>"),
            (":", "", ""),
        ] {
            let description = describe(scope);
            let read: String =
                description.label.iter().map(|part| if part.strong { format!("<{}>", part.text) } else { part.text.clone() }).collect();
            assert_eq!((description.group.as_str(), read.as_str()), (group, sentence), "{scope}");
        }
    }
}
