//! What every backend must do, as a suite that its tests run: one function a behaviour, each on a fresh store.
//!
//! ```text
//! falconer_store::conformance::run(|| async { Arc::new(MyStore::fresh().await) as Arc<dyn Store> }).await
//! ```
//!
//! A failing behaviour panics; its name is the last one that was printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test suite, behind a feature")]

mod at_once;
mod batches;
mod clients;
mod credentials;
mod grants;
mod people;
mod refreshes;
mod roles;
mod samples;
mod scim;
mod sessions;
mod steps;

pub use samples::{grant as sample_grant, session as sample_session};
pub use scim::{push as scim_push, user as scim_user};

use std::future::Future;
use std::sync::Arc;

use self::grants::{applications, initial_tokens, logouts, scope_registries};
use self::steps::{audit, decisions, feed, following, together};
use crate::Store;

/// Runs every behaviour on a store of its own, which `make` must give empty. Returns how many there were.
pub async fn run<M, F>(make: M) -> usize
where
    M: Fn() -> F,
    F: Future<Output = Arc<dyn Store>>,
{
    let mut ran = 0;
    macro_rules! behaviours {
        ($($module:ident: $($name:ident),+ $(,)?;)+) => {
            $($(
                eprintln!("store conformance: {}::{}", stringify!($module), stringify!($name));
                $module::$name(make().await).await;
                ran += 1;
            )+)+
        };
    }
    behaviours! {
        decisions:
            an_empty_store_is_at_revision_zero,
            each_step_makes_the_next_revision,
            a_step_is_stale_when_what_it_depends_on_has_changed,
            a_step_is_not_stale_when_something_else_has_changed,
            a_step_from_the_future_is_stale,
            a_stale_step_leaves_nothing,
            a_conflict_leaves_nothing,
            the_highest_time_never_falls,
            a_time_that_is_accepted_counts_although_a_later_one_was_stored;
        feed:
            the_feed_names_each_change_in_order,
            the_feed_tells_what_happened,
            the_feed_never_tears_a_revision,
            a_pruned_feed_says_so;
        audit:
            audit_rows_tell_who_did_what,
            rows_tell_what_changed_of_each_record,
            the_whole_history_is_found_newest_first_and_in_bounded_steps,
            histories_are_paged_oldest_first,
            a_history_goes_on_behind_a_row_that_is_gone,
            history_is_pruned_oldest_first_and_in_bounded_steps;
        together:
            concurrent_writers_lose_nothing,
            steps_together_are_as_one_after_the_other,
            steps_together_happen_all_or_none,
            steps_together_begin_at_the_present_revision,
            steps_of_another_history_are_stale;
        following:
            changed_records_are_what_is_there_now,
            changed_records_come_in_bounded_parts,
            changed_records_are_stale_where_the_feed_has_a_gap,
            a_grant_that_ended_long_ago_is_named_as_gone,
            another_history_begins_once,
            the_newest_revision_is_told_by_its_rows;
        clients:
            a_client_comes_back_as_it_was,
            a_client_id_is_taken_once,
            an_old_token_ends_with_a_client_that_is_disabled,
            updating_what_is_gone_is_a_conflict,
            the_last_use_never_goes_back,
            deleting_a_client_twice_leaves_two_audit_rows,
            a_repeat_is_audited_and_changes_nothing,
            a_stale_repeat_is_refused,
            static_clients_follow_the_list,
            an_equal_list_of_static_clients_changes_nothing,
            a_list_beyond_static_is_refused_whole,
            clients_load_in_order_of_bytes;
        roles:
            a_role_comes_back_as_it_was,
            a_role_id_is_taken_once,
            roles_are_updated_and_deleted,
            several_roles_come_together_or_not_at_all,
            many_roles_of_one_step_have_their_audit_rows_in_order,
            roles_load_in_order_of_bytes;
        batches:
            a_batch_comes_back_as_it_was,
            a_batch_tells_what_happened_to_each_record,
            a_batch_of_what_is_there_leaves_nothing,
            a_batch_never_turns_the_last_use_back,
            a_stale_batch_leaves_nothing,
            a_batch_that_names_a_record_twice_leaves_nothing,
            batches_at_once_lose_nothing;
        grants:
            an_issuer_comes_back_and_retires_once,
            a_grant_comes_back_as_it_was,
            grants_are_listed_newest_first,
            open_grants_and_the_last_to_a_site_are_found_alone,
            one_nonce_makes_one_grant,
            of_many_presses_one_makes_a_grant,
            a_replaced_grant_is_revoked_in_the_same_step,
            replacing_what_is_not_there_is_a_conflict,
            a_grant_is_revoked_once,
            what_was_derived_is_revoked_with_its_grant,
            many_are_revoked_at_once,
            no_more_are_derived_than_may_count,
            what_was_given_beyond_a_grant_is_revoked_with_it,
            a_request_for_more_is_found_by_whose_grant_it_is_about,
            uses_of_grants_add_up,
            uses_and_changes_wait_in_no_circle,
            grants_that_have_ended_are_not_loaded,
            ended_grants_are_pruned_oldest_first_and_in_bounded_steps,
            a_code_comes_back_and_is_used_once,
            of_64_uses_of_a_code_at_once_one_is_the_first,
            codes_are_pruned_when_nobody_needs_to_know_them,
            a_refresh_token_that_was_used_is_pruned,
            what_is_told_of_a_person_comes_back_and_goes_with_the_grant,
            a_request_of_a_device_comes_back_and_is_answered_once,
            of_many_answers_and_uses_at_once_one_is_the_first,
            a_device_that_asks_too_often_has_to_wait_longer,
            a_request_of_a_device_is_pruned_after_it_was_said_that_it_has_ended;
        applications:
            an_application_comes_back_as_it_was,
            an_application_id_is_taken_once,
            applications_are_updated_and_deleted,
            a_step_about_an_application_is_stale_when_it_has_changed,
            consent_is_remembered_and_forgotten,
            a_revoked_grant_ends_consent_to_the_same_place;
        initial_tokens:
            an_initial_token_comes_back_and_is_deleted,
            an_application_is_registered_with_a_token_that_counts,
            of_16_uses_of_a_token_at_once_as_many_count_as_it_has,
            the_open_grants_of_an_application_are_those_made_for_it_and_those_of_its_codes_and_tokens;
        scope_registries:
            what_a_service_says_of_its_scopes_comes_back_as_it_was,
            a_registry_is_replaced_and_deleted,
            a_step_about_registries_is_stale_when_one_has_changed;
        logouts:
            an_application_knows_a_session_by_one_name,
            the_end_of_a_session_is_due_at_once_for_those_who_know_it,
            a_session_that_goes_on_as_another_one_keeps_its_names,
            what_came_to_nothing_is_due_later,
            one_application_takes_so_many_places,
            of_many_who_claim_each_is_given_other_ends;
        credentials:
            a_password_comes_and_goes,
            a_password_is_replaced_only_where_it_is_the_one_that_was_proven,
            passkeys_come_back_as_they_were,
            a_passkey_has_one_owner,
            the_last_way_in_stays,
            a_counter_never_goes_back,
            of_many_uses_of_one_counter_one_counts,
            a_recovery_code_works_once,
            credentials_end_with_their_account;
        people:
            an_identity_is_replaced_whole,
            an_account_comes_back_with_its_person,
            an_account_changes_together_with_its_person,
            a_name_is_never_used_again,
            a_setup_link_works_once_and_in_time,
            a_setup_link_outlives_a_taken_name,
            of_many_setups_one_succeeds,
            a_new_identity_is_a_person_of_its_own,
            linking_moves_the_identity_and_ends_the_person_that_it_was,
            only_what_is_pending_in_the_session_is_linked,
            unlinking_makes_a_person_anew,
            a_person_is_named_by_an_identity_of_theirs,
            an_invitation_comes_with_its_account_or_not_at_all,
            an_account_has_one_link,
            a_link_is_used_once_and_in_time,
            an_administrator_ends_sessions_with_an_audit_row;
        refreshes:
            a_refresh_is_claimed_by_one_only,
            what_is_due_comes_earliest_first_and_once,
            of_many_who_claim_each_is_given_others,
            what_people_are_known_by_is_kept_for_ever,
            an_identity_takes_clients_with_it,
            a_lease_has_one_holder,
            a_lease_that_has_ended_is_for_everybody,
            of_many_who_take_a_lease_one_gets_it;
        scim:
            what_is_pushed_comes_back_as_it_was,
            a_name_and_an_external_id_are_one_resource,
            another_directory_has_nothing_of_it,
            a_change_follows_the_version_before,
            whoever_is_in_a_group_is_marked,
            members_come_and_leave_whatever_the_version,
            a_directory_has_room_again,
            members_of_all_groups_are_bounded_together,
            whoever_was_deleted_is_followed_once,
            each_push_leaves_a_row,
            what_is_refused_leaves_no_row,
            a_row_of_a_large_group_is_bounded;
        sessions:
            a_session_comes_back_as_it_was,
            a_session_is_seen_forward_only,
            sessions_end_one_by_one_and_together,
            origins_are_remembered_and_forgotten,
            attempts_count_within_their_window,
            attempts_at_once_are_all_counted,
            pruning_removes_what_has_ended_only,
            a_store_answers_ping;
    }
    ran
}
