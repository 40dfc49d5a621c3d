//! Information about the server that clients can read without signing in.

use async_graphql::SimpleObject;

use crate::api::diagnostic::document_bytes;
use crate::domain::{
    MAX_ADDED_DEPENDENCIES, MAX_API_KEYS, MAX_BULK, MAX_CLAIM_SECONDS, MAX_DESCRIPTION, MAX_FILES, MAX_ITEM,
    MAX_ITEMS, MAX_LABEL, MAX_LABELS, MAX_MITIGATION, MAX_NAME, MAX_OBJECTIVE, MAX_OWNER_LABEL, MAX_PAGE,
    MAX_PATH, MAX_RATIONALE, MAX_RISK, MAX_RISKS, MAX_TASKS_PER_LIST, MAX_TITLE, PASSWORD_RULES,
};
use crate::graphql::error::{CODES, CodeSpec, ErrorCode};
use crate::graphql::execution_state::MAX_RESPONSE_TEXT_BYTES;
use crate::graphql::guard;
use crate::service::Accounts;

/// The limits of streams that clients can read.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// The maximum number of open streams of one user; 0: no limit.
    pub per_user: usize,
    /// The maximum number of open operations of one WebSocket.
    pub operations_per_socket: usize,
}

/// Information about the server that clients can read without signing in.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// The version of the server.
    version: &'static str,
    /// Whether new users can register.
    registration_open: bool,
    /// Whether users must verify their e-mail address before they can change tasks or create API keys.
    verified_email_required: bool,
    /// The password rules that register, changePassword and resetPassword enforce, one sentence each.
    password_rules: [&'static str; 4],
    /// The limits of values and requests, so that forms can check their input before they send it.
    limits: Limits,
    /// All values of `errors[].extensions.code`, with their meanings.
    error_codes: Vec<ErrorCodeInfo>,
}

impl ServerInfo {
    /// The information about a server with these limits of documents and streams.
    pub fn new(accounts: &Accounts, limits: &guard::Limits, streams: StreamLimits) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            registration_open: accounts.registration_open(),
            verified_email_required: accounts.verified_email_required(),
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
                dependencies_per_task: int(MAX_ADDED_DEPENDENCIES),
                claim_seconds: MAX_CLAIM_SECONDS,
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
                streams_per_user: int(streams.per_user),
                operations_per_socket: int(streams.operations_per_socket),
                document_bytes: int(document_bytes(limits)),
                tasks_per_list: int(MAX_TASKS_PER_LIST),
                api_keys_per_user: MAX_API_KEYS as i32,
                api_key_days: accounts.api_key_expiry().longest.num_days() as i32,
            },
            error_codes: ErrorCodeInfo::all(),
        }
    }
}

fn int(limit: usize) -> i32 {
    limit.try_into().unwrap_or(i32::MAX)
}

/// The limits of values and requests. Lengths are in Unicode characters, after surrounding white space has
/// been removed.
#[derive(SimpleObject)]
struct Limits {
    /// The maximum length of the title of a task.
    title_length: i32,
    /// The maximum length of the description of a task.
    description_length: i32,
    /// The maximum length of a display name.
    name_length: i32,
    /// The maximum length of the ownerLabel of a task.
    owner_label_length: i32,
    /// The maximum length of the objective of a task.
    objective_length: i32,
    /// The maximum length of the rationale of a task.
    rationale_length: i32,
    /// The maximum length of the text of a checklist item.
    checklist_item_length: i32,
    /// The maximum length of the description of a risk.
    risk_length: i32,
    /// The maximum length of the mitigation of a risk.
    mitigation_length: i32,
    /// The maximum length of the path of a file.
    path_length: i32,
    /// The maximum length of a label.
    label_length: i32,
    /// The maximum number of labels of a task.
    labels_per_task: i32,
    /// The maximum number of checklist items of a task, including sub-items.
    checklist_items_per_task: i32,
    /// The maximum number of risks of a task.
    risks_per_task: i32,
    /// The maximum number of files of a task.
    files_per_task: i32,
    /// The maximum number of dependencies that addDependency can add to one task.
    dependencies_per_task: i32,
    /// The longest time for which a claim can be made or renewed, in seconds.
    claim_seconds: i32,
    /// The maximum number of tasks that one bulk mutation can create, change or delete.
    bulk_size: i32,
    /// The maximum number of tasks on a page.
    page_size: i32,
    /// The maximum depth of nested fields in an operation. A root field has depth 1.
    query_depth: i32,
    /// The maximum complexity of an operation. A field counts 1; a connection counts the complexity of its
    /// fields multiplied by its page size.
    query_complexity: i32,
    /// The maximum size of a request body, in bytes.
    request_bytes: i32,
    /// The maximum total size of the long texts and task parts in one response, in bytes.
    answer_bytes: i32,
    /// The maximum depth of nested arrays and objects in the JSON of a request.
    json_nesting: i32,
    /// The maximum size of a GraphQL document, in bytes.
    query_bytes: i32,
    /// The maximum depth of nested brackets of any kind in a document.
    query_nesting: i32,
    /// The maximum number of lexical tokens in a document.
    query_tokens: i32,
    /// The maximum number of selections in a document. A fragment counts once for each of its spreads.
    query_selections: i32,
    /// The maximum number of aliases in a document.
    query_aliases: i32,
    /// The maximum number of directives at one location of a document, for example at a field.
    query_directives: i32,
    /// The maximum number of fragments in a document.
    query_fragments: i32,
    /// The maximum number of operations in a document.
    query_operations: i32,
    /// The maximum number of root fields of a query.
    query_root_fields: i32,
    /// The maximum number of root fields of a mutation.
    mutation_root_fields: i32,
    /// The maximum number of WebSockets and HTTP streams that one user may have open on one instance of the
    /// server. 0 means no limit.
    streams_per_user: i32,
    /// The maximum number of operations that may be open on one WebSocket at the same time.
    operations_per_socket: i32,
    /// The maximum size of a document, in bytes of UTF-8. A document that is sent in a GraphQL request must also fit
    /// into requestBytes after it has been encoded as JSON.
    document_bytes: i32,
    /// The maximum number of tasks in one task list. Tasks in the trash are not counted.
    tasks_per_list: i32,
    /// The maximum number of API keys of one user. Expired keys do not count.
    api_keys_per_user: i32,
    /// The maximum lifetime of an API key, in days.
    api_key_days: i32,
}

/// An error code and its meaning.
#[derive(SimpleObject)]
pub struct ErrorCodeInfo {
    /// The error code.
    code: ErrorCode,
    /// The HTTP status with the same meaning, which is also in `errors[].extensions.status`.
    status: i32,
    /// The meaning of the code, in one sentence.
    description: &'static str,
    /// Whether the same request may succeed later without changes.
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
