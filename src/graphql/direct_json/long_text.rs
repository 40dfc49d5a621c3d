//! Long texts in responses.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use json_text::write_text;

use crate::graphql::direct_json::write::WriteJson;
use crate::graphql::execution_state::{ExecutionExt, write_error};

/// A text of thousands of characters. It is charged to the response each time it is selected, since aliases
/// can select it many times. In the schema it is a String.
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

impl WriteJson for LongText {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(&self.0, json);
    }

    fn write_counted(&self, json: &mut Vec<u8>, ctx: &ContextSelectionSet<'_>) -> Option<()> {
        let before = json.len();
        self.write(json);
        // The quotes are not counted.
        ctx.execution().charge(json.len() - before - 2).ok()
    }
}
