//! Numbers in variables.

use async_graphql_value::{ConstValue as Value, Variables};

/// Integers beyond this have neighbours that JSON's readers do not tell apart.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Makes integers of numbers without a fraction: JSON does not tell `5.0` and `1e2` from 5 and 100, and the
/// library takes no other number for an Int.
pub fn make_whole(variables: &mut Variables) {
    variables.values_mut().for_each(make_whole_in);
}

fn make_whole_in(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= LARGEST);
            if let Some(float) = whole {
                *number = (float as i64).into();
            }
        }
        Value::List(items) => items.iter_mut().for_each(make_whole_in),
        Value::Object(fields) => fields.values_mut().for_each(make_whole_in),
        _ => {}
    }
}
