//! Checks GraphQL documents before async-graphql parses, validates and executes them. A hostile document
//! can make its parser overflow the stack and its validation take exponential time; a document that has
//! passed the guard costs at most what the limits allow. The crate knows the schema from its SDL and a
//! [`Policy`], and no field by name.

mod check_values;
mod cost;
mod error;
mod guard;
mod json;
mod lexer;
mod limits;
mod normalize;
mod operation;
mod overlapping_fields;
mod policy;
mod precheck;
mod rewrite;
mod schema;
mod subscription;
mod unvalidated;

pub use error::{Error, LimitExceeded, PathSegment, Rule, ValueError};
pub use guard::Guard;
pub use json::{JsonEstimate, MAX_JSON_NESTING, estimate_json, normalize_integers};
pub use limits::{Limits, MAX_DIRECTIVES, MAX_FRAGMENTS, MAX_OPERATIONS, MAX_SELECTIONS, has_long_variables};
pub use operation::{find_operation, root_fields};
pub use policy::{CostlyField, CountedList, ExclusiveFields, Policy, Scalar, SearchCondition};
pub use rewrite::{merge_root_fields, subscriptions_as_queries};
