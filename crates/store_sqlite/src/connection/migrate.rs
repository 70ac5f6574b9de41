//! Bringing a file's schema up to this program's: numbered files, forward only, in one transaction.

use falconer_store::{AppliedMigration, Migration, StoreError, missing_migrations};
use rusqlite::{Connection, params};

use crate::connection::columns::{all, first};
use crate::connection::fault::Res;

/// `FALC`, in the file's header.
pub(crate) const APPLICATION_ID: i64 = 0x4641_4c43;

/// The first has the version 1. Never edit one that was released: its checksum is in the files of those who run it.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_records", text: include_str!("../../migrations/0001_records.sql") },
    Migration { name: "0002_told_changes", text: include_str!("../../migrations/0002_told_changes.sql") },
    Migration { name: "0003_history", text: include_str!("../../migrations/0003_history.sql") },
    Migration { name: "0004_people", text: include_str!("../../migrations/0004_people.sql") },
    Migration { name: "0005_credentials", text: include_str!("../../migrations/0005_credentials.sql") },
    Migration { name: "0006_account_links", text: include_str!("../../migrations/0006_account_links.sql") },
    Migration { name: "0007_following", text: include_str!("../../migrations/0007_following.sql") },
    Migration { name: "0008_scim", text: include_str!("../../migrations/0008_scim.sql") },
    Migration { name: "0009_session_places", text: include_str!("../../migrations/0009_session_places.sql") },
    Migration { name: "0010_provider_subjects", text: include_str!("../../migrations/0010_provider_subjects.sql") },
    Migration { name: "0011_email_within", text: include_str!("../../migrations/0011_email_within.sql") },
    Migration { name: "0012_mailed_links", text: include_str!("../../migrations/0012_mailed_links.sql") },
    Migration { name: "0013_scim_sizes", text: include_str!("../../migrations/0013_scim_sizes.sql") },
    Migration { name: "0014_leases", text: include_str!("../../migrations/0014_leases.sql") },
    Migration { name: "0015_scim_member_counts", text: include_str!("../../migrations/0015_scim_member_counts.sql") },
    Migration { name: "0016_grant_secrets", text: include_str!("../../migrations/0016_grant_secrets.sql") },
    Migration { name: "0017_device_requests", text: include_str!("../../migrations/0017_device_requests.sql") },
    Migration { name: "0018_applications", text: include_str!("../../migrations/0018_applications.sql") },
    Migration { name: "0019_grant_names", text: include_str!("../../migrations/0019_grant_names.sql") },
    Migration { name: "0020_grant_identities", text: include_str!("../../migrations/0020_grant_identities.sql") },
    Migration { name: "0021_consents", text: include_str!("../../migrations/0021_consents.sql") },
    Migration { name: "0022_revoked_certificates", text: include_str!("../../migrations/0022_revoked_certificates.sql") },
    Migration { name: "0023_grant_secret_resources", text: include_str!("../../migrations/0023_grant_secret_resources.sql") },
    Migration { name: "0024_derived_grants", text: include_str!("../../migrations/0024_derived_grants.sql") },
    Migration { name: "0025_registered_applications", text: include_str!("../../migrations/0025_registered_applications.sql") },
    Migration { name: "0026_old_access_tokens", text: include_str!("../../migrations/0026_old_access_tokens.sql") },
    Migration { name: "0027_application_signing", text: include_str!("../../migrations/0027_application_signing.sql") },
    Migration { name: "0028_proof_keys", text: include_str!("../../migrations/0028_proof_keys.sql") },
    Migration { name: "0029_grant_requests", text: include_str!("../../migrations/0029_grant_requests.sql") },
    Migration { name: "0030_backchannel_logout", text: include_str!("../../migrations/0030_backchannel_logout.sql") },
    Migration { name: "0031_where_applications_come_from", text: include_str!("../../migrations/0031_where_applications_come_from.sql") },
    Migration { name: "0032_device_names", text: include_str!("../../migrations/0032_device_names.sql") },
    Migration { name: "0033_revoked_grants", text: include_str!("../../migrations/0033_revoked_grants.sql") },
    Migration { name: "0034_application_keys", text: include_str!("../../migrations/0034_application_keys.sql") },
    Migration { name: "0035_scope_registries", text: include_str!("../../migrations/0035_scope_registries.sql") },
    Migration { name: "0036_passkey_user_handles", text: include_str!("../../migrations/0036_passkey_user_handles.sql") },
    Migration { name: "0037_grants_of_applications", text: include_str!("../../migrations/0037_grants_of_applications.sql") },
    Migration { name: "0038_living_derived_grants", text: include_str!("../../migrations/0038_living_derived_grants.sql") },
    Migration { name: "0039_creators_of_initial_tokens", text: include_str!("../../migrations/0039_creators_of_initial_tokens.sql") },
];

/// Runs, inside of the caller's transaction, what the file has not seen yet.
pub(crate) fn migrate(connection: &Connection, migrations: &[Migration]) -> Res<()> {
    check_ours(connection)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT",
    )?;
    for (version, migration) in missing_migrations(&applied(connection)?, migrations)? {
        connection.execute_batch(migration.text)?;
        let sql = "INSERT INTO migrations (version, name, checksum) VALUES (?1, ?2, ?3)";
        connection.execute(sql, params![version, migration.name, migration.checksum()])?;
    }
    Ok(())
}

/// Refuses to write to a file that a command of a newer program has brought up to date while this one ran: what this one would write may lack something.
pub(crate) fn check_schema(connection: &Connection) -> Res<()> {
    let newest = first(connection, "SELECT coalesce(max(version), 0) FROM migrations", [], |row| Ok(row.get::<_, i64>(0)?))?;
    if newest.unwrap_or_default() <= i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX) {
        return Ok(());
    }
    let why = "a newer version of Falconer has brought the database up to date, so that this server changes nothing any more: end it, and start the newer one";
    Err(StoreError::Unavailable(why.to_owned()).into())
}

/// What the file has seen.
pub(crate) fn applied(connection: &Connection) -> Res<Vec<AppliedMigration>> {
    all(connection, "SELECT version, name, checksum FROM migrations ORDER BY version", [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

/// Whose a database is: [`APPLICATION_ID`] says that it is ours.
pub(crate) fn application_id(connection: &Connection) -> Res<i64> {
    Ok(connection.pragma_query_value(None, "application_id", |row| row.get(0))?)
}

/// Refuses a database of another program, and marks a new one as ours.
fn check_ours(connection: &Connection) -> Res<()> {
    let application = application_id(connection)?;
    if application == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != 0 || tables != 0 {
        return Err(corrupt("the file is a database of another program".to_owned()));
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

fn corrupt(why: String) -> crate::connection::fault::Fault {
    StoreError::Corrupt(why).into()
}

#[cfg(test)]
mod tests;
