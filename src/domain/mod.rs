//! Values and rules without I/O: what a valid title, filter or error is. Nothing here depends on HTTP,
//! GraphQL or SQL. Only [`Clock`] reads the time.

mod account;
mod api_key;
mod bulk;
mod change;
mod claim;
mod clock;
mod cursor;
mod error;
mod fault;
mod id;
mod label;
mod mail;
pub mod ordering;
mod page;
mod required;
mod scope;
mod stored_enum;
mod task;
mod task_filter;
mod task_list;
mod task_part;
mod text;
mod validation;

pub use account::{
    DisplayName, Email, NewPassword, PASSWORD_RULES, ProfileEdit, Registration, Session, User, Username,
};
pub use api_key::{ApiKey, KeyExpiry, KeyName, MAX_API_KEYS, NewApiKey};
pub use bulk::{BulkIds, MAX_BULK, check_count};
pub use change::{ChangeCursor, Changes, ChangesArguments, ChangesFrom, ChangesRequest};
pub use claim::{
    Claim, MAX_CLAIM_SECONDS, NewClaim, NextClaim, NoClaimReason, parse_claim_seconds, parse_worker,
};
pub use clock::Clock;
pub use cursor::{CursorKey, KeyValue};
pub use error::{Error, Result};
pub use fault::{FieldFault, MAX_FAULTS, PathSegment, Problem, Rule};
pub use id::new_id;
pub use label::{Label, Labels, MAX_LABEL, MAX_LABELS};
pub use mail::{MailKind, TokenLifetimes, TokenPurpose};
pub use page::{DEFAULT_PAGE, MAX_PAGE, Page, PageArguments, PageRequest};
pub use required::Required;
pub use scope::{Scope, Scopes};
pub use stored_enum::StoredEnum;
pub use task::{
    LabelChange, NewTask, StatusChange, Task, TaskDetails, TaskDetailsEdit, TaskEdit, TaskPriority,
    TaskStatus, Title,
};
pub use task_filter::{Bound, DateField, DateRange, ListFilter, OrderField, OrderKey, TaskFilter, TaskScope};
pub use task_list::{
    ListEntry, ListPlace, MAX_ADDED_DEPENDENCIES, MAX_DOCUMENT_BYTES, MAX_TASKS_PER_LIST, MergeDecisions,
    MergeSide, TaskList, TaskOrdering,
};
pub use task_part::{
    ChecklistItem, FileChange, FileChangeKind, FilePath, ItemEdit, ItemText, MAX_FILES, MAX_ITEMS, MAX_RISKS,
    NewFileChange, NewItem, NewParts, NewRisk, Progress, Risk, RiskDescription, RiskEdit, RiskLevel, Section,
};
pub use text::{
    MAX_DESCRIPTION, MAX_ITEM, MAX_MITIGATION, MAX_NAME, MAX_OBJECTIVE, MAX_OWNER_LABEL, MAX_PATH,
    MAX_RATIONALE, MAX_RISK, MAX_TITLE, at_most, fold, normalize, one_line,
};
pub use validation::Faults;

/// A point in time: UTC, in whole milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
