//! Executes operations: from the text of a document to a response with coded errors.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Request, Response, ServerError, Variables};
use tokio_util::task::TaskTracker;

use crate::domain::Error;
use crate::graphql::document_cache::{self, DocumentCache, PreparedDocument};
use crate::graphql::error::{ErrorCode, panic_error, request_error, restore_path};
use crate::graphql::execution::{
    Disposition, Execution, OperationSummary, Rejection, disposition, finalize_errors,
};
use crate::graphql::execution_state::{ExecutionState, MAX_RESPONSE_TEXT_BYTES};
use crate::graphql::guard::{self, Guard, Limits};
use crate::graphql::persisted_documents::PersistedDocuments;
use crate::graphql::request::{AttributeResponse, GraphqlRequest};
use crate::graphql::response_budget::{ResponseBudget, ResponseShare};
use crate::graphql::root_fields::RootFields;

/// An upper estimate of the bytes of a mutation's response for each unit of its document's complexity.
const RESPONSE_BYTES_PER_COMPLEXITY: usize = 16 << 10;

/// The settings of an executor, beside its schema.
pub struct ExecutorSettings {
    pub persisted: PersistedDocuments,
    /// How long one operation may take.
    pub timeout: Duration,
    pub introspection: bool,
    /// The most bytes that the responses of the instance may take until their clients have received them.
    pub response_bytes: usize,
    /// Queries that need no sign-in.
    pub public_fields: &'static [&'static str],
}

/// Executes the operations of one schema, each within its time limit.
#[derive(Clone)]
pub struct Executor<E> {
    schema: E,
    /// The same schema without validation, for documents that have been validated.
    prevalidated_schema: E,
    documents: DocumentCache,
    persisted: PersistedDocuments,
    timeout: Duration,
    introspection: bool,
    public_fields: &'static [&'static str],
    budget: Arc<ResponseBudget>,
    running: TaskTracker,
}

impl<E: async_graphql::Executor> Executor<E> {
    /// An executor of a schema, which is given with and without validation, and with its guard.
    pub fn new(schema: E, prevalidated_schema: E, guard: Guard, settings: ExecutorSettings) -> Self {
        Self {
            schema,
            prevalidated_schema,
            documents: DocumentCache::new(guard),
            persisted: settings.persisted,
            timeout: settings.timeout,
            introspection: settings.introspection,
            public_fields: settings.public_fields,
            budget: ResponseBudget::new(settings.response_bytes),
            running: TaskTracker::new(),
        }
    }

    /// The limits that requests have to keep.
    pub fn limits(&self) -> &Limits {
        self.documents.limits()
    }

    /// A share of the response budget for the response to a client with this address.
    pub fn response_share(&self, address: IpAddr) -> Arc<ResponseShare> {
        ResponseShare::new(&self.budget, address)
    }

    /// Waits until all operations that are being executed have ended.
    pub async fn drain(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Executes one operation.
    pub async fn execute<C: AttributeResponse>(
        &self,
        request: GraphqlRequest,
        share: Arc<ResponseShare>,
        context: Arc<C>,
    ) -> Execution {
        let request_id = request.request_id.clone();
        let mut summary = OperationSummary::default();
        let result = self.run(request, &mut summary, &share, context).await;
        let (mut response, disposition) = result.unwrap_or_else(Into::into);
        finalize_errors(&mut response, &request_id);
        Execution { response, disposition, summary, share }
    }

    async fn run<C: AttributeResponse>(
        &self,
        mut request: GraphqlRequest,
        summary: &mut OperationSummary,
        share: &Arc<ResponseShare>,
        context: Arc<C>,
    ) -> Result<(Response, Disposition), Rejection> {
        let (text, document, complexity) = self.prepare(&mut request, summary)?;
        let operation = select_operation(&document.ast, &request, summary)?;
        self.coerce_variables(&document, operation, &mut request.variables)?;
        let roots = RootFields::of(&document.ast, operation, self.public_fields);
        if roots.has_introspection && !self.introspection {
            return Err(request_error(ErrorCode::BadRequest, "Introspection is disabled.").into());
        }
        let mut ast = document.ast.clone();
        guard::merge_root_fields(&mut ast, request.operation_name.as_deref(), &request.variables);
        let state = ExecutionState::new(share.clone(), !document.needs_field_merging, roots.keys.len());
        let mutation = (operation.ty == OperationType::Mutation).then(|| MutationStart {
            complexity,
            share: share.clone(),
            context: context.clone(),
        });
        let mut execution =
            Request::new(text).variables(request.variables).data(Arc::new(state)).data(context);
        execution.operation_name = request.operation_name;
        execution.set_parsed_query(ast);

        let response = self.execute_with_timeout(document.is_valid(), execution, mutation).await?;
        if share.is_refused() {
            return Err(Rejection::no_response_memory());
        }
        let disposition = disposition(&response, &roots);
        if disposition != Disposition::Refused {
            self.documents.insert(&document);
        }
        Ok((response, disposition))
    }

    /// Finds the document of a request, checks it, and returns it with its text and its complexity.
    fn prepare(
        &self,
        request: &mut GraphqlRequest,
        summary: &mut OperationSummary,
    ) -> Result<(String, Arc<PreparedDocument>, usize), Rejection> {
        let id = request.document_id.as_deref();
        let text = self.persisted.resolve(request.query.take(), id);
        let text = text.map_err(|(code, message)| Rejection::coded(code, message))?;
        let hash = document_cache::hash(&text);
        summary.document = Some(document_cache::hex(&hash[..8]));
        guard::normalize_integers(&mut request.variables);
        let (document, complexity) = self.documents.prepare(&text, hash, &request.variables)?;
        if let Some(id) = id {
            self.persisted.register(id, &text);
        }
        Ok((text, document, complexity))
    }

    /// Checks the values of variables, adds their defaults, and drops those that the operation does not
    /// define, so that their memory is free during the execution.
    fn coerce_variables(
        &self,
        document: &PreparedDocument,
        operation: &OperationDefinition,
        variables: &mut Variables,
    ) -> Result<(), Rejection> {
        let definitions = &operation.variable_definitions;
        // Without variables the values are those that were checked when the document was validated.
        if !document.is_valid() || !definitions.is_empty() {
            let defaults = self.documents.guard().check_values(&document.ast, operation, variables)?;
            variables.extend(defaults);
        }
        if variables.len() > definitions.len() {
            variables.retain(|name, _| definitions.iter().any(|defined| defined.node.name.node == *name));
        }
        Ok(())
    }

    /// Executes in its own tokio task, which continues when the client disconnects or the time limit has
    /// passed, so that no mutation stops in the middle. A panic is an error of this operation only.
    async fn execute_with_timeout<C: AttributeResponse>(
        &self,
        is_validated: bool,
        request: Request,
        mutation: Option<MutationStart<C>>,
    ) -> Result<Response, Rejection> {
        let schema = if is_validated { &self.prevalidated_schema } else { &self.schema }.clone();
        let task = self.running.spawn(async move {
            if let Some(mutation) = mutation {
                mutation.reserve_response_memory().await.ok()?;
            }
            Some(schema.execute(request).await)
        });
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(Some(mut response))) => {
                response.errors.iter_mut().for_each(restore_path);
                Ok(response)
            }
            Ok(Ok(None)) => Err(Rejection::no_response_memory()),
            Ok(Err(_)) => Err(interrupted(panic_error())),
            Err(_) => Err(interrupted(request_error(ErrorCode::Timeout, Error::Timeout.to_string()))),
        }
    }
}

/// The rejection of an operation that began and did not end: it may have been executed.
fn interrupted(error: ServerError) -> Rejection {
    Rejection { disposition: Disposition::Executed, errors: vec![error] }
}

/// The values that a mutation needs before it starts.
struct MutationStart<C> {
    complexity: usize,
    share: Arc<ResponseShare>,
    context: Arc<C>,
}

impl<C: AttributeResponse> MutationStart<C> {
    /// Reserves memory for the response. Errors: Unavailable while the clients of this user have too many
    /// responses to receive.
    async fn reserve_response_memory(self) -> Result<(), Error> {
        let bytes =
            self.complexity.saturating_mul(RESPONSE_BYTES_PER_COMPLEXITY).min(MAX_RESPONSE_TEXT_BYTES);
        if !self.share.can_start_without_user(bytes) {
            self.context.attribute_response().await;
        }
        self.share.begin_mutation(bytes)
    }
}

/// The operation that a request names, or the only one.
fn select_operation<'a>(
    document: &'a ExecutableDocument,
    request: &GraphqlRequest,
    summary: &mut OperationSummary,
) -> Result<&'a OperationDefinition, Rejection> {
    let name = request.operation_name.as_deref();
    let operation = guard::find_operation(document, name).ok_or_else(|| {
        let message = match name {
            Some(_) => "The document has no operation with the name in operationName.",
            None => "The document has several operations: operationName must name one.",
        };
        request_error(ErrorCode::BadRequest, message)
    })?;
    summary.ty = Some(match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    });
    summary.name = request.operation_name.clone().or_else(|| first_name(document));
    if operation.ty == OperationType::Mutation && request.read_only {
        return Err(Rejection::mutation_needs_post());
    }
    Ok(operation)
}

fn first_name(document: &ExecutableDocument) -> Option<String> {
    let mut names = document.operations.iter().filter_map(|(name, _)| name);
    names.next().map(ToString::to_string)
}
