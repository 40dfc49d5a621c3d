//! The limits of the service, for all tests of this crate.

use task_documents::task::Limits;

/// The limits of the service.
pub const LIMITS: Limits = Limits {
    title: 200,
    owner: 200,
    objective: 1_000,
    rationale: 10_000,
    item: 1_000,
    risk: 1_000,
    mitigation: 2_000,
    path: 500,
    items: 500,
    risks: 100,
    files: 500,
};
