//! The input of the engine: one operation of a document, and the context that its resolvers need.

use async_graphql::Variables;

/// A request to execute one operation.
#[derive(Debug, Default)]
pub struct GraphqlRequest {
    /// The document's text; None when the client names the document by its id.
    pub query: Option<String>,
    /// The id of a persisted document: a hash, or an id in a manifest.
    pub document_id: Option<String>,
    /// The name of the operation; None when the document has only one.
    pub operation_name: Option<String>,
    /// The values of the operation's variables.
    pub variables: Variables,
    /// Whether a mutation may run.
    pub mutations: MutationPolicy,
    /// The cursor up to which the client of a subscription has everything, sent with the connection.
    pub last_event_id: Option<String>,
    /// The id that the log and each error carry.
    pub request_id: String,
}

/// Whether a request may run a mutation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MutationPolicy {
    #[default]
    Allowed,
    /// The HTTP method is a safe one (RFC 9110, 9.2.1), so the client has to use POST.
    NeedPost,
    /// The transport is a stream, whose clients send open operations again after a lost connection.
    Refused,
}

/// The context that resolvers find with `data::<Arc<Self>>()`. The engine uses nothing else of it.
pub trait AttributeResponse: Send + Sync + 'static {
    /// Attributes the response's memory to the signed-in user, if the request has a valid token. The engine
    /// calls it before a mutation that may need much memory.
    fn attribute_response(&self) -> impl Future<Output = ()> + Send;
}
