//! The pages of clients and roles: lists, one record, its form, what a change comes to, and questions before an act.

mod draft;
mod inspection;
mod records;
mod registries;

pub(crate) use draft::{AffectedKind, Change, ConfirmField, ConfirmPage, Draft, Kind, PlanPage, RecordFormPage};
pub(crate) use inspection::{
    AuditPage, AuditRow, EvaluatedScopeRow, ExplainedView, HolderRow, Holders, RefusalRow, RefusalsPage, ScopeEvaluationView, ScopesPage,
};
pub(crate) use records::{HistoryRow, RecordHistory, RecordPage, RecordRow, RecordsPage};
pub(crate) use registries::{RegistriesPage, RegistryRow};
