//! The root type of subscriptions. Its fields are for the schema and the validation of documents: an event of a
//! subscription is an execution of the field of `Query` with the same name.

use async_graphql::Subscription;
use async_graphql::futures_util::stream::{Stream, empty};

use crate::api::task::changes::TaskChanges;

/// The root type of subscriptions.
pub struct SubscriptionRoot;

/// The operations that keep running and return one result after another. A subscription selects exactly one of
/// these fields.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Reports changes of the signed-in user's tasks. The first event is sent immediately, even if it contains no
    /// change; its cursor tells where the subscription begins. Changes made since the cursor in `after` are
    /// reported first, then each new change soon after it has been made. The error code is CURSOR_EXPIRED if the
    /// cursor is too old.
    async fn task_changes(
        &self,
        #[graphql(
            desc = "Where to begin: a cursor from TaskChanges.cursor or TaskConnection.syncCursor. If it is omitted \
                    or null, only changes made from now on are reported."
        )]
        _after: Option<String>,
        #[graphql(desc = "The maximum number of changes in one event: 1 to 100. The default is 20.")] _first: Option<
            i32,
        >,
    ) -> impl Stream<Item = TaskChanges> {
        empty()
    }
}
