//! The door for operations: from the text of a document to an answer with coded errors.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{
    EmptySubscription, PathSegment, Request, Response, Schema, ServerError, ValidationMode, Value, Variables,
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::api::Mutation;
use crate::api::context::{RequestContext, SessionData};
use crate::api::query_root::QueryRoot;
use crate::auth::{ClientInfo, Credential};
use crate::domain::Error;
use crate::graphql::document_cache::{self, DocumentCache};
use crate::graphql::error::{
    ErrorCode, assign_code, code_name, internal_cause, panic_error, request_error, response_memory_error,
    restore_path,
};
use crate::graphql::error_limit;
use crate::graphql::guard::{self, Limits, MAX_ERRORS, Types};
use crate::graphql::persisted_documents::PersistedDocuments;
use crate::graphql::response_budget::{ResponseBudget, ResponseShare};
use crate::service::Services;

/// Executes operations, each within its time limit.
#[derive(Clone)]
pub struct Executor {
    schema: Schema<QueryRoot, Mutation, EmptySubscription>,
    /// The same, for documents that have been validated.
    trusting_schema: Schema<QueryRoot, Mutation, EmptySubscription>,
    services: Arc<Services>,
    documents: DocumentCache,
    persisted: PersistedDocuments,
    timeout: Duration,
    introspection: bool,
    /// The memory that answers may take.
    answers: Arc<ResponseBudget>,
    running: TaskTracker,
}

/// A request for one operation.
#[derive(Debug, Default)]
pub struct GraphqlRequest {
    /// The document's text; None when it is known by its id.
    pub query: Option<String>,
    /// What the document is known by: a hash, or an id in a manifest.
    pub document_id: Option<String>,
    pub name: Option<String>,
    pub variables: Variables,
    pub credential: Credential,
    pub client: ClientInfo,
    /// Whether only queries may run: the request came by a safe method (RFC 9110, 9.2.1).
    pub read_only: bool,
    pub request_id: String,
}

/// How far an operation came; it decides the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Execution began: the response has `data`.
    Executed,
    /// The document was refused before execution.
    Refused,
    /// Nothing was executed, for a reason that HTTP has a word of its own for.
    Rejected(ErrorCode),
    /// A mutation by a safe method.
    MethodNotAllowed,
}

/// The answer to an operation.
pub struct Execution {
    pub response: Response,
    pub stage: Disposition,
    pub summary: OperationSummary,
    /// What it takes of the memory for answers.
    pub share: Arc<ResponseShare>,
}

/// What the log may say of an operation: nothing that a user wrote but the operation's name.
#[derive(Clone, Debug, Default)]
pub struct OperationSummary {
    pub name: Option<String>,
    pub ty: Option<&'static str>,
    /// The first 16 hexadecimal digits of the document's SHA-256.
    pub document: Option<String>,
    pub user_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
}

impl Executor {
    /// Builds the schema over the services; without introspection it keeps its names to itself. Answers that
    /// their clients have not taken have at most `unsent_bytes` together.
    pub fn new(
        services: Arc<Services>,
        limits: Limits,
        persisted: PersistedDocuments,
        timeout: Duration,
        introspection: bool,
        unsent_bytes: usize,
    ) -> Self {
        let build = |mode| {
            let mut builder = super::builder().data(limits.clone()).validation_mode(mode);
            if !introspection {
                builder = builder.disable_introspection().disable_suggestions();
            }
            builder.finish()
        };
        Self {
            schema: build(ValidationMode::Strict),
            trusting_schema: build(ValidationMode::Fast),
            services,
            documents: DocumentCache::new(Types::from_sdl(&super::sdl()), limits.clone()),
            persisted,
            timeout,
            introspection,
            answers: ResponseBudget::new(unsent_bytes),
            running: TaskTracker::new(),
        }
    }

    /// Whether the service can work.
    pub async fn ready(&self) -> bool {
        self.services.ready().await.is_ok()
    }

    /// The bounds that requests are held to.
    pub fn limits(&self) -> &Limits {
        self.documents.limits()
    }

    /// Waits until what is being executed has come to its end.
    pub async fn drain(&self) {
        self.running.close();
        self.running.wait().await;
        self.services.finish().await;
    }

    /// Runs one operation. Every error in the answer has its code, status and request id.
    pub async fn execute(&self, operation: GraphqlRequest) -> Execution {
        let request_id = operation.request_id.clone();
        let mut summary = OperationSummary::default();
        let share = ResponseShare::new(&self.answers, operation.client.counted_address());
        let (mut response, stage) = match self.run(operation, &mut summary, &share).await {
            Ok(executed) => executed,
            Err(Rejection { stage, errors }) => (Response::from_errors(errors), stage),
        };
        dedup_and_sort_errors(&mut response);
        response.errors.truncate(MAX_ERRORS);
        for error in &mut response.errors {
            finalize_error(error, &request_id);
        }
        Execution { response, stage, summary, share }
    }

    async fn run(
        &self,
        mut operation: GraphqlRequest,
        summary: &mut OperationSummary,
        share: &Arc<ResponseShare>,
    ) -> Result<(Response, Disposition), Rejection> {
        let id = operation.document_id.as_deref();
        let text = self.persisted.resolve(operation.query.take(), id).map_err(|(code, message)| {
            Rejection { stage: Disposition::Rejected(code), errors: vec![request_error(code, message)] }
        })?;
        let hash = document_cache::hash(&text);
        summary.document = Some(document_cache::hex(&hash[..8]));
        guard::make_whole(&mut operation.variables);
        let (document, complexity) = self.documents.prepare(&text, hash, &operation.variables)?;
        if let Some(id) = id {
            self.persisted.register(id, &text);
        }

        let name = operation.name.as_deref();
        let chosen = guard::operation(&document.ast, name).ok_or_else(|| {
            let message = match name {
                Some(_) => "The document has no operation of the name in operationName.",
                None => "The document has several operations: operationName must name one.",
            };
            request_error(ErrorCode::BadRequest, message)
        })?;
        summary.ty = Some(match chosen.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        });
        summary.name = operation.name.clone().or_else(|| only_name(&document.ast));
        let is_mutation = chosen.ty == OperationType::Mutation;
        if is_mutation && operation.read_only {
            let mut error = request_error(ErrorCode::BadRequest, "Mutations need POST.");
            error.extensions.get_or_insert_default().set("status", 405);
            return Err(Rejection { stage: Disposition::MethodNotAllowed, errors: vec![error] });
        }
        let types = self.documents.types();
        // Without variables the values are those that were good when it was validated.
        if !document.is_valid() || !chosen.variable_definitions.is_empty() {
            let defaults = guard::check_values(&document.ast, chosen, &operation.variables, types)?;
            operation.variables.extend(defaults);
        }
        let roots = RootFields::of(&document.ast, name);
        if roots.has_introspection && !self.introspection {
            return Err(request_error(ErrorCode::BadRequest, "Introspection is switched off.").into());
        }

        let mut read = document.ast.clone();
        guard::merge_roots(&mut read, name, &operation.variables);
        let (credential, client) = (operation.credential, operation.client);
        let may_answer_at_once = !document.needs_field_merging;
        let services = self.services.clone();
        let session = RequestContext::new(
            services,
            credential,
            client,
            may_answer_at_once,
            share.clone(),
            roots.keys.len(),
        );
        let session = Arc::new(session);
        // What no definition names is not kept while the operation runs.
        if operation.variables.len() > chosen.variable_definitions.len() {
            let is_defined = |name: &async_graphql::Name| {
                chosen.variable_definitions.iter().any(|defined| defined.node.name.node == *name)
            };
            operation.variables.retain(|name, _| is_defined(name));
        }
        let mut request = Request::new(text).variables(operation.variables);
        request = request.data(SessionData(session.clone()));
        request.operation_name = operation.name;
        request.set_parsed_query(read);
        let schema = if document.is_valid() { &self.trusting_schema } else { &self.schema };
        let mutation = is_mutation.then(|| (session.clone(), complexity));
        let response = match self.execute_with_timeout(schema.clone(), request, mutation).await {
            Ok(response) => response,
            Err(Ended::Refused(refusal)) => return Err(refusal),
            Err(Ended::Failed(error)) => {
                return Ok((Response::from_errors(vec![*error]), Disposition::Executed));
            }
        };
        if let Some(viewer) = session.known_viewer() {
            summary.user_id = Some(viewer.user_id());
            summary.session_id = Some(viewer.session_id());
        }
        if share.is_refused() {
            return Err(Rejection::unavailable());
        }
        let stage = disposition(&response, &roots);
        if stage != Disposition::Refused {
            self.documents.insert(&document);
        }
        Ok((response, stage))
    }

    /// Executes in a task of its own: what has begun to write runs to its end, even when the client
    /// goes away or the time is up, and a panic is an error of this operation alone. A mutation, with its
    /// complexity, starts only if there is memory for its answer.
    async fn execute_with_timeout(
        &self,
        schema: Schema<QueryRoot, Mutation, EmptySubscription>,
        request: Request,
        mutation: Option<(Arc<RequestContext>, usize)>,
    ) -> Result<Response, Ended> {
        let task = self.running.spawn(async move {
            if let Some((session, complexity)) = mutation
                && session.begin_mutation(complexity).await.is_err()
            {
                return None;
            }
            Some(schema.execute(request).await)
        });
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(Some(mut response))) => {
                response.errors.iter_mut().for_each(restore_path);
                Ok(response)
            }
            Ok(Ok(None)) => Err(Ended::Refused(Rejection::unavailable())),
            Ok(Err(_)) => Err(Ended::Failed(Box::new(panic_error()))),
            Err(_) => {
                let error = request_error(ErrorCode::Timeout, Error::Timeout.to_string());
                Err(Ended::Failed(Box::new(error)))
            }
        }
    }
}

/// Why an operation is not executed.
struct Rejection {
    stage: Disposition,
    errors: Vec<ServerError>,
}

impl Rejection {
    /// There is no memory for the answer. No mutation has been executed.
    fn unavailable() -> Self {
        Self {
            stage: Disposition::Rejected(ErrorCode::ServiceUnavailable),
            errors: vec![response_memory_error()],
        }
    }
}

/// Why an execution has no response.
enum Ended {
    /// It did not begin.
    Refused(Rejection),
    /// It panicked or took too long.
    Failed(Box<ServerError>),
}

impl From<Vec<ServerError>> for Rejection {
    fn from(errors: Vec<ServerError>) -> Self {
        Self { stage: Disposition::Refused, errors }
    }
}

impl From<ServerError> for Rejection {
    fn from(error: ServerError) -> Self {
        vec![error].into()
    }
}

fn only_name(document: &ExecutableDocument) -> Option<String> {
    let mut names = document.operations.iter().filter_map(|(name, _)| name);
    names.next().map(ToString::to_string)
}

/// The response keys of an operation's root fields, `__typename` apart.
struct RootFields {
    keys: HashSet<String>,
    has_public_query: bool,
    has_introspection: bool,
}

impl RootFields {
    fn of(document: &ExecutableDocument, name: Option<&str>) -> Self {
        let fields = guard::operation(document, name).map(|chosen| guard::root_fields(document, chosen));
        let fields = fields.unwrap_or_default();
        let has = |names: &[&str]| fields.iter().any(|field| names.contains(&field.name.node.as_str()));
        Self {
            has_public_query: has(&["serverInfo", "__schema", "__type"]),
            has_introspection: has(&["__schema", "__type"]),
            keys: fields
                .iter()
                .filter(|field| field.name.node != "__typename")
                .map(|field| field.response_key().node.to_string())
                .collect(),
        }
    }
}

/// How far execution came. Errors of fields have a path, errors before execution have none.
fn disposition(response: &Response, roots: &RootFields) -> Disposition {
    if response.errors.iter().any(|error| error.path.is_empty()) {
        return Disposition::Refused;
    }
    let nothing_came = match &response.data {
        Value::Null => true,
        Value::Object(fields) => {
            roots.keys.iter().all(|key| fields.get(key.as_str()).is_none_or(|value| *value == Value::Null))
        }
        _ => false,
    };
    // A mutation that failed below its root has been executed, whatever is left of its answer.
    let refused_at_the_root = response.errors.iter().all(|error| error.path.len() == 1);
    if !nothing_came || !refused_at_the_root || roots.has_public_query {
        return Disposition::Executed;
    }
    [ErrorCode::Unauthenticated, ErrorCode::RateLimited, ErrorCode::ServiceUnavailable]
        .into_iter()
        .find(|code| {
            !response.errors.is_empty()
                && response.errors.iter().all(|error| code_name(error) == Some(code.name()))
        })
        .map_or(Disposition::Executed, Disposition::Rejected)
}

/// Tells one error for each path, in the order of the data: the library resolves a field as often as it
/// is asked for, and tells failures as they come.
fn dedup_and_sort_errors(response: &mut Response) {
    if response.errors.len() < 2 {
        return;
    }
    let mut paths = HashSet::new();
    response.errors.retain(|error| error.path.is_empty() || paths.insert(format!("{:?}", error.path)));
    let data = &response.data;
    response.errors.sort_by_cached_key(|error| data_position(data, &error.path));
}

/// Where a path leads in the data, each step as a number; as far as there are data.
fn data_position(mut data: &Value, path: &[PathSegment]) -> Vec<usize> {
    let step = |segment: &PathSegment| {
        let (place, inside) = match (data, segment) {
            (Value::Object(fields), PathSegment::Field(key)) => {
                fields.get_full(key.as_str()).map(|(place, _, value)| (place, value))?
            }
            (Value::List(items), PathSegment::Index(index)) => (*index, items.get(*index)?),
            _ => return None,
        };
        data = inside;
        Some(place)
    };
    path.iter().map_while(step).collect()
}

/// Codes an error, logs what it hides, and gives it the request's id.
fn finalize_error(error: &mut ServerError, request_id: &str) {
    if let Some(cause) = internal_cause(error) {
        tracing::error!(request_id, code = code_name(error), error = ?cause, "an operation failed");
    }
    assign_code(error);
    error_limit::shorten(error);
    error.extensions.get_or_insert_default().set("requestId", request_id);
}
