//! Executes operations: from the text of a document to a response with coded errors.

use std::mem::take;
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
    Disposition, Execution, OperationSummary, Refusal, Rejection, disposition, finalize_errors,
};
use crate::graphql::execution_state::{ExecutionState, MAX_RESPONSE_TEXT_BYTES};
use crate::graphql::guard::{self, Guard, Limits};
use crate::graphql::introspection;
use crate::graphql::operation::Operation;
use crate::graphql::persisted_documents::PersistedDocuments;
use crate::graphql::request::{AttributeResponse, GraphqlRequest, MutationPolicy};
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

    /// Checks an operation, so that it can be executed.
    ///
    /// Errors: the response to an operation that must not be executed.
    pub fn prepare(&self, mut request: GraphqlRequest) -> Result<Operation, Box<Refusal>> {
        let mut summary = OperationSummary::default();
        let request_id = take(&mut request.request_id);
        match self.check(request, &mut summary) {
            Ok(operation) => Ok(Operation { summary, request_id, ..operation }),
            Err(rejection) => {
                let (mut response, disposition) = rejection.into();
                finalize_errors(&mut response, &request_id, false);
                Err(Box::new(Refusal { response, disposition, summary }))
            }
        }
    }

    /// Executes an operation. A subscription is executed as a query, once for each of its events.
    pub async fn execute<C: AttributeResponse>(
        &self,
        mut operation: Operation,
        share: Arc<ResponseShare>,
        context: Arc<C>,
    ) -> Execution {
        let (request_id, summary) = (take(&mut operation.request_id), take(&mut operation.summary));
        let is_repeated = operation.is_subscription();
        let result = self.run(operation, &share, context).await;
        let (mut response, disposition) = result.unwrap_or_else(Into::into);
        finalize_errors(&mut response, &request_id, is_repeated);
        Execution { response, disposition, summary, share }
    }

    async fn run<C: AttributeResponse>(
        &self,
        operation: Operation,
        share: &Arc<ResponseShare>,
        context: Arc<C>,
    ) -> Result<(Response, Disposition), Rejection> {
        let Operation { document, complexity, ty, name, variables, .. } = operation;
        let mut ast = document.ast.clone();
        if ty == OperationType::Subscription {
            guard::subscriptions_as_queries(&mut ast);
        }
        let operation = guard::find_operation(&ast, name.as_deref());
        let roots = operation.map(|operation| RootFields::of(&ast, operation, self.public_fields));
        let roots = roots.unwrap_or_default();
        if roots.has_introspection && !self.introspection {
            return Err(request_error(ErrorCode::BadRequest, "Introspection is disabled.").into());
        }
        guard::merge_root_fields(&mut ast, name.as_deref(), &variables);
        let state = ExecutionState::new(share.clone(), !document.needs_field_merging, roots.keys.len());
        let mutation = (ty == OperationType::Mutation).then(|| MutationStart {
            complexity,
            share: share.clone(),
            context: context.clone(),
        });
        // The text is not needed, since it has been parsed.
        let mut execution = Request::new("").variables(variables).data(Arc::new(state)).data(context);
        execution.operation_name = name;
        execution.set_parsed_query(ast);

        let mut response = self.execute_with_timeout(document.is_valid(), execution, mutation).await?;
        if share.is_refused() {
            return Err(Rejection::no_response_memory());
        }
        introspection::remove_general_description(&mut response.data, &roots.schema_keys);
        let disposition = disposition(&response, &roots);
        if disposition != Disposition::Refused {
            self.documents.insert(&document);
        }
        Ok((response, disposition))
    }

    fn check(&self, request: GraphqlRequest, summary: &mut OperationSummary) -> Result<Operation, Rejection> {
        let GraphqlRequest { query, document_id, operation_name: name, mut variables, .. } = request;
        let text = self.persisted.resolve(query, document_id.as_deref());
        let text = text.map_err(|(code, message)| Rejection::coded(code, message))?;
        let hash = document_cache::hash(&text);
        summary.document = Some(document_cache::hex(&hash[..8]));
        guard::normalize_integers(&mut variables);
        let (document, complexity) = self.documents.prepare(&text, hash, &variables)?;
        if let Some(id) = document_id {
            self.persisted.register(&id, &text);
        }
        let operation = select_operation(&document.ast, name.as_deref(), request.mutations, summary)?;
        if operation.ty == OperationType::Subscription {
            self.documents.guard().check_subscription(&document.ast, operation)?;
        }
        self.coerce_variables(&document, operation, &mut variables)?;
        let ty = operation.ty;
        let (summary, request_id) = (OperationSummary::default(), String::new());
        Ok(Operation { document, complexity, ty, name, variables, summary, request_id })
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

    /// Runs work in its own tokio task, which continues when the client disconnects or the time limit has
    /// passed, so that no change stops in the middle. A panic is an error of this work only.
    ///
    /// Errors: TIMEOUT; INTERNAL_SERVER_ERROR after a panic.
    pub fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, Box<ServerError>>> {
        let task = tokio::time::timeout(self.timeout, self.running.spawn(work));
        async {
            match task.await {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(_)) => Err(Box::new(panic_error())),
                Err(_) => Err(Box::new(request_error(ErrorCode::Timeout, Error::Timeout.to_string()))),
            }
        }
    }

    /// Executes a document as [`Self::run_to_end`] does.
    async fn execute_with_timeout<C: AttributeResponse>(
        &self,
        is_validated: bool,
        request: Request,
        mutation: Option<MutationStart<C>>,
    ) -> Result<Response, Rejection> {
        let schema = if is_validated { &self.prevalidated_schema } else { &self.schema }.clone();
        let executed = self.run_to_end(async move {
            if let Some(mutation) = mutation {
                mutation.reserve_response_memory().await.ok()?;
            }
            Some(schema.execute(request).await)
        });
        let response = executed.await.map_err(|error| interrupted(*error))?;
        let mut response = response.ok_or_else(Rejection::no_response_memory)?;
        response.errors.iter_mut().for_each(restore_path);
        Ok(response)
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
    name: Option<&str>,
    mutations: MutationPolicy,
    summary: &mut OperationSummary,
) -> Result<&'a OperationDefinition, Rejection> {
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
    summary.name = name.map(str::to_owned).or_else(|| first_name(document));
    match (operation.ty, mutations) {
        (OperationType::Mutation, MutationPolicy::NeedPost) => Err(Rejection::mutation_needs_post()),
        (OperationType::Mutation, MutationPolicy::Refused) => Err(Rejection::mutation_on_stream()),
        _ => Ok(operation),
    }
}

fn first_name(document: &ExecutableDocument) -> Option<String> {
    let mut names = document.operations.iter().filter_map(|(name, _)| name);
    names.next().map(ToString::to_string)
}
