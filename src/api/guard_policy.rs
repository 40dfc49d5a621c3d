//! The properties of this schema that the document guard needs.

use crate::api::scalar::{Date, DateTime};
use crate::domain::{DEFAULT_PAGE, MAX_FAULTS, MAX_PAGE};
use crate::graphql::guard::{CostlyField, CountedList, ExclusiveFields, Policy, Scalar, SearchCondition};

/// The policy of the document guard for the public schema.
pub fn guard_policy() -> Policy {
    Policy {
        // Each of them may compute a password hash or queue a mail. One field per request bounds its cost.
        exclusive: ExclusiveFields {
            names: &[
                "register",
                "login",
                "refreshToken",
                "changePassword",
                "changeEmail",
                "sendVerificationEmail",
                "verifyEmail",
                "requestPasswordReset",
                "resetPassword",
                "createApiKey",
            ],
            quantity: "Number of credential fields",
        },
        page_types: &["TaskChanges"],
        default_page_size: DEFAULT_PAGE as usize,
        max_page_size: MAX_PAGE as usize,
        unpaged_list_size: 10,
        counted_lists: &[CountedList { field: "nodes", argument: "ids" }],
        // A text search reads all tasks of the viewer.
        search: SearchCondition { argument: "filter", field: "text", complexity: 100 },
        costly_fields: &[
            CostlyField {
                types: &["Task", "TaskList"],
                fields: &["markdown", "revision", "diagnostics"],
                complexity: 500,
            },
            // The paths are read from texts that can be as long as a document.
            CostlyField { types: &["Task"], fields: &["paths"], complexity: 20 },
            // All tasks of a list are read.
            CostlyField {
                types: &["Task"],
                fields: &["blockedBy", "blocks", "waitsFor", "ready"],
                complexity: 5,
            },
            CostlyField { types: &["TaskList"], fields: &["readyTasks"], complexity: 20 },
        ],
        scalars: &[
            Scalar {
                name: "DateTime",
                is_valid: |text| DateTime::from_text(text).is_some(),
                example: "2026-11-21T09:30:00Z",
            },
            Scalar { name: "Date", is_valid: |text| Date::from_text(text).is_some(), example: "2026-11-21" },
        ],
        max_value_errors: MAX_FAULTS,
    }
}
