//! Bringing a database's schema up to this program's: numbered files, forward only, each in a transaction of its own; those of a new database all in one.

use falconer_store::{AppliedMigration, Migration, StoreError, check_none_missing, missing_migrations};

use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::connect::WITHOUT_END;
use crate::connection::fault::{Fault, Res};
use crate::connection::transaction::Transaction;

/// The first has the version 1. Never edit one that was released: its checksum is in the databases of those who run it.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_records", text: include_str!("../../migrations/0001_records.sql") },
    Migration { name: "0002_history", text: include_str!("../../migrations/0002_history.sql") },
    Migration { name: "0003_people", text: include_str!("../../migrations/0003_people.sql") },
    Migration { name: "0004_credentials", text: include_str!("../../migrations/0004_credentials.sql") },
    Migration { name: "0005_account_links", text: include_str!("../../migrations/0005_account_links.sql") },
    Migration { name: "0006_following", text: include_str!("../../migrations/0006_following.sql") },
    Migration { name: "0007_scim", text: include_str!("../../migrations/0007_scim.sql") },
    Migration { name: "0008_session_places", text: include_str!("../../migrations/0008_session_places.sql") },
    Migration { name: "0009_provider_subjects", text: include_str!("../../migrations/0009_provider_subjects.sql") },
    Migration { name: "0010_email_within", text: include_str!("../../migrations/0010_email_within.sql") },
    Migration { name: "0011_mailed_links", text: include_str!("../../migrations/0011_mailed_links.sql") },
    Migration { name: "0012_scim_sizes", text: include_str!("../../migrations/0012_scim_sizes.sql") },
    Migration { name: "0013_leases", text: include_str!("../../migrations/0013_leases.sql") },
    Migration { name: "0014_scim_member_counts", text: include_str!("../../migrations/0014_scim_member_counts.sql") },
    Migration { name: "0015_grant_secrets", text: include_str!("../../migrations/0015_grant_secrets.sql") },
    Migration { name: "0016_device_requests", text: include_str!("../../migrations/0016_device_requests.sql") },
    Migration { name: "0017_applications", text: include_str!("../../migrations/0017_applications.sql") },
    Migration { name: "0018_grant_names", text: include_str!("../../migrations/0018_grant_names.sql") },
    Migration { name: "0019_grant_identities", text: include_str!("../../migrations/0019_grant_identities.sql") },
    Migration { name: "0020_consents", text: include_str!("../../migrations/0020_consents.sql") },
    Migration { name: "0021_revoked_certificates", text: include_str!("../../migrations/0021_revoked_certificates.sql") },
    Migration { name: "0022_grant_secret_resources", text: include_str!("../../migrations/0022_grant_secret_resources.sql") },
    Migration { name: "0023_derived_grants", text: include_str!("../../migrations/0023_derived_grants.sql") },
    Migration { name: "0024_registered_applications", text: include_str!("../../migrations/0024_registered_applications.sql") },
    Migration { name: "0025_old_access_tokens", text: include_str!("../../migrations/0025_old_access_tokens.sql") },
    Migration { name: "0026_application_signing", text: include_str!("../../migrations/0026_application_signing.sql") },
    Migration { name: "0027_proof_keys", text: include_str!("../../migrations/0027_proof_keys.sql") },
    Migration { name: "0028_grant_requests", text: include_str!("../../migrations/0028_grant_requests.sql") },
    Migration { name: "0029_backchannel_logout", text: include_str!("../../migrations/0029_backchannel_logout.sql") },
    Migration { name: "0030_where_applications_come_from", text: include_str!("../../migrations/0030_where_applications_come_from.sql") },
    Migration { name: "0031_device_names", text: include_str!("../../migrations/0031_device_names.sql") },
    Migration { name: "0032_revoked_grants", text: include_str!("../../migrations/0032_revoked_grants.sql") },
    Migration { name: "0033_application_keys", text: include_str!("../../migrations/0033_application_keys.sql") },
    Migration { name: "0034_scope_registries", text: include_str!("../../migrations/0034_scope_registries.sql") },
    Migration { name: "0035_clients_in_order", text: include_str!("../../migrations/0035_clients_in_order.sql") },
    Migration { name: "0036_passkey_user_handles", text: include_str!("../../migrations/0036_passkey_user_handles.sql") },
    Migration { name: "0037_node_keys", text: include_str!("../../migrations/0037_node_keys.sql") },
    Migration { name: "0038_who_used", text: include_str!("../../migrations/0038_who_used.sql") },
    Migration { name: "0039_grants_of_applications", text: include_str!("../../migrations/0039_grants_of_applications.sql") },
    Migration { name: "0040_living_derived_grants", text: include_str!("../../migrations/0040_living_derived_grants.sql") },
    Migration { name: "0041_creators_of_initial_tokens", text: include_str!("../../migrations/0041_creators_of_initial_tokens.sql") },
];

/// A table of this name is in a database into which another one is being copied.
pub(crate) const UNFINISHED: &str = "falconer_unfinished_copy";

/// The advisory lock of migrations: `FALM`.
const LOCK: i64 = 0x4641_4c4d;

/// Runs, inside of the caller's transaction, the next file that the database has not seen yet, or all of them where nothing is there; whether there are more. It takes as
/// long as it takes, but waits for a table for a second only: all others who want that table wait behind it. What it holds is free again before the next file, which may
/// make an index for as long as there are rows.
pub(crate) async fn migrate(on: &Transaction<'_>) -> Res<bool> {
    run(on, "SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    on.batch_execute(&format!("{WITHOUT_END}; SET LOCAL lock_timeout = '1s'")).await?;
    check_ours(on).await?;
    on.batch_execute(
        "CREATE TABLE IF NOT EXISTS falconer_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)",
    )
    .await?;
    let seen = "SELECT version, name, checksum FROM falconer_migrations ORDER BY version";
    let applied: Vec<AppliedMigration> = all(on, seen, &[], |row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).await?;
    let needed = first(on, &format!("SELECT {NEEDED}"), &[&known()], |row| get(row, 0)).await?;
    let (applied, newest) = without_newer(applied, needed.unwrap_or_default());
    if let Some(newest) = newest {
        tracing::warn!(
            newest,
            "a newer version of Falconer has brought the database up to date, and lets this one go on beside it: upgrade this server too"
        );
    }
    let missing = missing_migrations(&applied, MIGRATIONS)?;
    if !missing.is_empty() {
        on.batch_execute("ALTER TABLE falconer_migrations ADD COLUMN IF NOT EXISTS beside BIGINT").await?;
    }
    let at_once = if applied.is_empty() { missing.len() } else { 1 };
    let is_more = missing.len() > at_once;
    for (version, migration) in missing.into_iter().take(at_once) {
        on.batch_execute(migration.text).await?;
        let sql = "INSERT INTO falconer_migrations (version, name, checksum, beside) VALUES ($1, $2, $3, $4)";
        run(on, sql, &[&version, &migration.name, &migration.checksum(), &migration.beside()]).await?;
    }
    Ok(is_more)
}

/// Who keeps a process of the database waiting, for people; nothing where nobody does.
pub(crate) async fn who_keeps_waiting(on: &impl Connection, process: i32) -> Res<Option<String>> {
    let sql = "SELECT string_agg(format('process %s (%s, user %s, in this transaction since %s)', pid, coalesce(nullif(application_name, ''), backend_type),
                 coalesce(usename, 'none'), to_char(xact_start, 'HH24:MI:SS')), '; ') FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1))";
    first(on, sql, &[&process], |row| get(row, 0)).await.map(Option::flatten)
}

/// The files that a database has seen without those of newer programs, where this one may go on beside them; and the newest of those.
pub(crate) fn without_newer(mut applied: Vec<AppliedMigration>, needed: i64) -> (Vec<AppliedMigration>, Option<String>) {
    if check_schema(needed).is_err() {
        return (applied, None);
    }
    let newest = applied.drain(applied.len().min(MIGRATIONS.len())..).next_back().map(|(_, name, _)| name);
    (applied, newest)
}

/// Refuses a schema that is not this program's, older or newer.
pub(crate) async fn is_current(on: &impl Connection) -> Res<()> {
    let sql = "SELECT version, name, checksum FROM falconer_migrations ORDER BY version";
    let applied: Vec<AppliedMigration> = all(on, sql, &[], |row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).await?;
    Ok(check_none_missing(&applied, MIGRATIONS)?)
}

/// How many files this program knows.
pub(crate) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version that a program has to know to go on with what newer ones than `$1` have applied, as SQL. A database of before has no such column.
pub(crate) const NEEDED: &str =
    "(SELECT coalesce(max(coalesce((to_jsonb(m) ->> 'beside')::bigint, version)), 0) FROM falconer_migrations m WHERE version > $1)";

/// Refuses to write to a schema of a newer program, which another node has brought up to date while this one ran, unless that says that programs like this one may go on
/// beside it: what they would write may lack something.
pub(crate) fn check_schema(needed: i64) -> Res<()> {
    if needed <= known() {
        return Ok(());
    }
    let why = "a newer version of Falconer has brought the database up to date, so that this server changes nothing any more: end it, and start the newer one";
    Err(StoreError::Unavailable(why.to_owned()).into())
}

/// Refuses a schema with tables of another program, and a database whose texts are not UTF-8.
async fn check_ours(on: &Transaction<'_>) -> Res<()> {
    let encoding: Option<String> = first(on, "SELECT current_setting('server_encoding')", &[], |row| get(row, 0)).await?;
    if encoding.as_deref() != Some("UTF8") {
        return Err(corrupt(format!("the database's encoding is {}: make one with ENCODING 'UTF8'", encoding.unwrap_or_default())));
    }
    is_finished(on).await?;
    let sql = "SELECT to_regclass('falconer_migrations') IS NOT NULL, current_schema(),
                 (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema())";
    let found: Option<(bool, Option<String>, i64)> = first(on, sql, &[], |row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).await?;
    match found {
        Some((true, ..)) | Some((false, Some(_), 0)) => Ok(()),
        Some((false, Some(schema), _)) => Err(corrupt(format!(
            "the schema {schema} of this database holds tables of another program: give Falconer a database of its own"
        ))),
        _ => Err(corrupt("the database has no schema that this user can make tables in".to_owned())),
    }
}

/// Refuses a database into which another one is being copied: some of its rows may be missing.
pub(crate) async fn is_finished(on: &impl Connection) -> Res<()> {
    if finds(on, "SELECT 1 WHERE to_regclass($1) IS NOT NULL", &[&UNFINISHED]).await? {
        let why = "`falconer migrate` was copying into this database and was not finished: run it again";
        return Err(StoreError::InTheWay(why.to_owned()).into());
    }
    Ok(())
}

fn corrupt(why: String) -> Fault {
    StoreError::Corrupt(why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as there were when nothing ran beside a migration.
    const BEFORE: usize = 12;
    /// As many as there were when a file that makes an index might change its table too.
    const MIXED: usize = 35;

    /// While servers are upgraded one after the other, those of the version before go on with the schema of the next one.
    #[test]
    fn migrations_only_expand() {
        for migration in MIGRATIONS.iter().skip(BEFORE) {
            assert_eq!(falconer_store::not_expanding(migration.text), Vec::<String>::new(), "{}", migration.name);
        }
    }

    /// A change of a table keeps everybody out until the file is done, and an index takes as long as there are rows.
    #[test]
    fn an_index_has_a_file_of_its_own() {
        for migration in MIGRATIONS.iter().skip(MIXED) {
            assert_eq!(falconer_store::indexed_while_changed(migration.text), Vec::<String>::new(), "{}", migration.name);
        }
    }

    #[test]
    fn a_migration_may_be_beside_programs_that_know_less_and_at_least_what_only_expands() {
        for (version, migration) in (1..).zip(MIGRATIONS) {
            let beside = migration.beside();
            assert!(beside.is_none_or(|beside| (BEFORE as i64..version).contains(&beside)), "{}: {beside:?}", migration.name);
        }
        let of = |text| Migration { name: "9999_later", text }.beside();
        assert_eq!(
            (of("-- A table.\n-- beside: 15\nCREATE TABLE later (id TEXT);"), of("CREATE TABLE beside (id TEXT);")),
            (Some(15), None)
        );
    }
}
