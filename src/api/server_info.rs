//! What a client needs before anybody signs in.

use async_graphql::SimpleObject;

use crate::domain::{
    MAX_BULK, MAX_DESCRIPTION, MAX_FILES, MAX_ITEM, MAX_ITEMS, MAX_LABEL, MAX_LABELS, MAX_MITIGATION,
    MAX_NAME, MAX_OBJECTIVE, MAX_OWNER_LABEL, MAX_PAGE, MAX_PATH, MAX_RATIONALE, MAX_RISK, MAX_RISKS,
    MAX_TITLE, PASSWORD_RULES,
};
use crate::graphql::error::{CODES, CodeSpec, ErrorCode};
use crate::graphql::execution_state::MAX_RESPONSE_TEXT_BYTES;
use crate::graphql::guard;

/// What a client needs before anybody signs in.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// Version of the server.
    version: &'static str,
    /// Whether register is open.
    registration_open: bool,
    /// The password rules that register and changePassword enforce, one sentence each.
    password_rules: [&'static str; 4],
    /// The bounds that requests are held to, so that forms can check before they send.
    limits: Limits,
    /// Every code that can stand in errors[].extensions.code.
    error_codes: Vec<ErrorCodeInfo>,
}

impl ServerInfo {
    pub fn new(registration_open: bool, limits: &guard::Limits) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            registration_open,
            password_rules: PASSWORD_RULES,
            limits: Limits {
                title_length: int(MAX_TITLE),
                description_length: int(MAX_DESCRIPTION),
                name_length: int(MAX_NAME),
                owner_label_length: int(MAX_OWNER_LABEL),
                objective_length: int(MAX_OBJECTIVE),
                rationale_length: int(MAX_RATIONALE),
                checklist_item_length: int(MAX_ITEM),
                risk_length: int(MAX_RISK),
                mitigation_length: int(MAX_MITIGATION),
                path_length: int(MAX_PATH),
                label_length: int(MAX_LABEL),
                labels_per_task: int(MAX_LABELS),
                checklist_items_per_task: int(MAX_ITEMS),
                risks_per_task: int(MAX_RISKS),
                files_per_task: int(MAX_FILES),
                bulk_size: int(MAX_BULK),
                page_size: MAX_PAGE,
                query_depth: int(limits.depth),
                query_complexity: int(limits.complexity),
                request_bytes: int(limits.request_bytes),
                answer_bytes: int(MAX_RESPONSE_TEXT_BYTES),
                json_nesting: int(guard::MAX_JSON_NESTING),
                query_bytes: int(limits.query_bytes),
                query_nesting: int(limits.nesting),
                query_tokens: int(limits.tokens),
                query_selections: int(guard::MAX_SELECTIONS),
                query_aliases: int(limits.aliases),
                query_directives: int(guard::MAX_DIRECTIVES),
                query_fragments: int(guard::MAX_FRAGMENTS),
                query_operations: int(guard::MAX_OPERATIONS),
                query_root_fields: int(limits.root_fields),
                mutation_root_fields: int(limits.mutation_root_fields()),
            },
            error_codes: ErrorCodeInfo::all(),
        }
    }
}

fn int(bound: usize) -> i32 {
    bound.try_into().unwrap_or(i32::MAX)
}

/// Lengths count Unicode characters, after surrounding white space is cut.
#[derive(SimpleObject)]
struct Limits {
    /// The longest title.
    title_length: i32,
    /// The longest description.
    description_length: i32,
    /// The longest display name.
    name_length: i32,
    /// The longest name of the person or team in a task document.
    owner_label_length: i32,
    /// The longest objective.
    objective_length: i32,
    /// The longest rationale.
    rationale_length: i32,
    /// The longest text of a checklist item.
    checklist_item_length: i32,
    /// The longest description of a risk.
    risk_length: i32,
    /// The longest mitigation of a risk.
    mitigation_length: i32,
    /// The longest path of a file.
    path_length: i32,
    /// The longest label.
    label_length: i32,
    /// The most labels of a task.
    labels_per_task: i32,
    /// The most checklist items of a task, on both levels.
    checklist_items_per_task: i32,
    /// The most risks of a task.
    risks_per_task: i32,
    /// The most files of a task.
    files_per_task: i32,
    /// The most things that one call can be about.
    bulk_size: i32,
    /// The largest page.
    page_size: i32,
    /// How deep a query may nest its fields.
    query_depth: i32,
    /// How much a query may cost: a field is 1, a connection its page size times its children.
    query_complexity: i32,
    /// How long a request's body may be, in bytes.
    request_bytes: i32,
    /// How long the long texts and the parts of tasks in one answer may be together, in bytes.
    answer_bytes: i32,
    /// How deep a request's JSON may nest arrays and objects.
    json_nesting: i32,
    /// How long a document may be, in bytes.
    query_bytes: i32,
    /// How deep a document may nest brackets of any kind.
    query_nesting: i32,
    /// The most lexical tokens of a document.
    query_tokens: i32,
    /// The most selections of a document, with fragments counted as often as they are spread.
    query_selections: i32,
    /// The most aliases of a document.
    query_aliases: i32,
    /// The most directives in one place.
    query_directives: i32,
    /// The most fragments of a document.
    query_fragments: i32,
    /// The most operations of a document.
    query_operations: i32,
    /// The most root fields of a query.
    query_root_fields: i32,
    /// The most root fields of a mutation.
    mutation_root_fields: i32,
}

/// A code and what it means.
#[derive(SimpleObject)]
pub struct ErrorCodeInfo {
    /// The code.
    code: ErrorCode,
    /// The HTTP status of the same meaning; also in `errors[].extensions.status`.
    status: i32,
    /// What it means.
    description: &'static str,
    /// Whether the same request may succeed later unchanged.
    retryable: bool,
}

impl ErrorCodeInfo {
    fn all() -> Vec<Self> {
        let info = |&CodeSpec { code, status, retryable, description, .. }: &CodeSpec| Self {
            code,
            status: status.into(),
            description,
            retryable,
        };
        CODES.iter().map(info).collect()
    }
}
