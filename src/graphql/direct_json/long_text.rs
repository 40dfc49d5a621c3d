//! Long texts in answers.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::graphql::execution_state::{ExecutionExt, write_error};

/// A text of thousands of characters. It counts into the answer each time it is asked for, since aliases
/// ask for it many times. On the wire it is a String.
#[derive(Clone, Debug)]
pub struct LongText(pub String);

impl OutputType for LongText {
    fn type_name() -> Cow<'static, str> {
        <String as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <String as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        ctx.execution().charge_text(&self.0).map_err(|error| write_error(ctx, field, error))?;
        Ok(Value::from(&self.0))
    }
}
