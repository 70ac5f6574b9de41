//! What Falconer's own scopes allow, in words.

/// What a scope begins with after `auth:`, and what somebody may do who has it. One that ends in a colon is about something, which is named behind the sentence.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("create-client:", "Create clients named"),
    ("update-client:", "Change clients named"),
    ("delete-client:", "Delete clients named"),
    ("enable-client:", "Enable clients named"),
    ("disable-client:", "Disable clients named"),
    ("reset-access-token:", "Give new access tokens to clients named"),
    ("set-access-token:", "Choose the access tokens of clients named"),
    ("revoke-certificates:", "Revoke temporary credentials of clients named"),
    ("get-client:", "See clients named"),
    ("list-clients", "See the list of clients"),
    ("create-role:", "Create roles named"),
    ("update-role:", "Change roles named"),
    ("delete-role:", "Delete roles named"),
    ("get-role:", "See roles named"),
    ("list-roles", "See the list of roles"),
    ("expand-scopes", "See what scopes come to"),
    ("current-scopes", "See what it may do itself"),
    ("whole-lists", "Get whole lists of what callers may do"),
    ("explain:", "See why a call was refused that has the id"),
    ("events", "Follow the changes of clients and roles"),
    ("audit-history:", "See what happened to records of the kind"),
    ("client-audit-history:", "See what was changed by"),
    ("list-people", "See the list of people"),
    ("get-person:", "See people named"),
    ("create-person:", "Invite people named"),
    ("update-person:", "Change profile, groups and scopes of people named"),
    ("reset-person:", "Make links with which passwords are set for people named"),
    ("disable-person:", "Stop people named"),
    ("enable-person:", "Let in again people named"),
    ("unlock-person:", "Let try again, after wrong passwords, people named"),
    ("delete-person:", "Delete accounts of people named"),
    ("sign-out-person:", "Sign out people named"),
    ("revoke-grants-of-person:", "Revoke what was granted by people named"),
    ("unlink-person:", "Take identities away from people named"),
    ("name-person:", "Choose the identity that names what is new, for people named"),
    ("refresh-person:", "Have the provider asked again about people named"),
    ("map-person:", "See what people would get from the provider"),
    ("list-grants", "See what everybody has granted"),
    ("list-applications", "See the list of applications"),
    ("create-application:", "Register applications named"),
    ("update-application:", "Change applications named"),
    ("delete-application:", "Delete applications named"),
    ("update-own-application:", "Change, where you own them, applications named"),
    ("delete-own-application:", "Delete, where you own them, applications named"),
    ("skip-consent:", "Have people asked no more by applications named"),
    ("introspect-token:", "See what access tokens are worth of applications named"),
    ("ended-tokens:", "See which access tokens have ended of the service"),
    ("list-initial-tokens", "See the list of tokens with which applications register themselves"),
    ("create-initial-token:", "Make tokens with which applications register themselves, named"),
    ("delete-initial-token:", "End tokens with which applications register themselves, named"),
    ("list-scope-registries", "See which services say what their scopes mean"),
    ("publish-scopes:", "Say what scopes mean of the service"),
    ("aws-s3:read-only:", "Read, in Amazon S3,"),
    ("aws-s3:read-write:", "Read and change, in Amazon S3,"),
    ("azure-table:list-accounts", "See the list of accounts of Azure"),
    ("azure-table:list-tables:", "See the list of tables, in the Azure account"),
    ("azure-table:read-only:", "Read the Azure table"),
    ("azure-table:read-write:", "Read and change the Azure table"),
    ("azure-container:list-containers:", "See the list of containers, in the Azure account"),
    ("azure-container:read-only:", "Read the Azure container"),
    ("azure-container:read-write:", "Read and change the Azure container"),
    ("gcp:access-token:", "Get access tokens of Google Cloud for"),
    ("github-repo-token:", "Get tokens of GitHub for"),
    ("sentry:", "Get the address to which errors are sent of the project"),
    ("websocktunnel-token:", "Get tokens of websocktunnels for"),
];

/// How a sentence goes on where it is about whatever there is, by its end.
pub(super) const ABOUT_ANY: &[(&str, &str)] = &[
    (" named", " of any name"),
    (" of the kind", " of any kind"),
    (" by", " by anybody"),
    (" that has the id", ""),
    (" of the service", " of any service"),
    (" from the provider", " from any provider"),
    (" of the project", " of any project"),
    (" for", " for anything"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Scopes that no method of the API takes: pages, `authenticateHawk` and OAuth do, and what a method says of others.
    const BESIDE: [&str; 5] = ["list-grants", "whole-lists", "introspect-token:", "update-own-application:", "delete-own-application:"];

    /// The page showed "Reset person: anything" and "Audit history client", and had sentences for two scopes that there are not.
    #[test]
    fn each_scope_of_the_api_has_a_sentence_and_no_other_has() {
        let mut taken: Vec<&str> = falconer_wire::METHODS
            .iter()
            .chain(falconer_wire::FALCONER_METHODS)
            .filter_map(|method| method.scopes)
            .flat_map(|scopes| scopes.split("\"auth:").skip(1))
            .map(|scope| scope.split(['<', '"']).next().unwrap())
            .map(|scope| if scope == "audit-history:person" { "audit-history:" } else { scope })
            .chain(BESIDE)
            .chain(["skip-consent:", "publish-scopes:", "set-access-token:"])
            .collect();
        taken.sort_unstable();
        taken.dedup();
        let mut described: Vec<&str> = SENTENCES.iter().map(|(scope, _)| *scope).collect();
        described.sort_unstable();
        assert_eq!(described, taken);
    }
}
