//! What a client needs before anybody signs in.

use async_graphql::SimpleObject;

use crate::domain::{MAX_DESCRIPTION, MAX_NAME, MAX_PAGE, MAX_TITLE, PASSWORD_RULES};
use crate::graphql::error::ErrorCodeInfo;
use crate::graphql::guard;

/// What a client needs before anybody signs in.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// Version of the server.
    version: &'static str,
    /// Whether register is open.
    registration_open: bool,
    /// The password rules that register and changePassword enforce, one sentence each.
    password_rules: [&'static str; 4],
    /// The bounds that requests are held to, so that forms can check before they send.
    limits: Limits,
    /// Every code that can stand in errors[].extensions.code.
    error_codes: Vec<ErrorCodeInfo>,
}

impl ServerInfo {
    pub fn new(registration_open: bool, limits: &guard::Limits) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            registration_open,
            password_rules: PASSWORD_RULES,
            limits: Limits {
                title_length: int(MAX_TITLE),
                description_length: int(MAX_DESCRIPTION),
                name_length: int(MAX_NAME),
                page_size: MAX_PAGE,
                query_depth: int(limits.depth),
                query_complexity: int(limits.complexity),
                request_bytes: int(limits.request_bytes),
            },
            error_codes: ErrorCodeInfo::all(),
        }
    }
}

fn int(bound: usize) -> i32 {
    bound.try_into().unwrap_or(i32::MAX)
}

/// Lengths count Unicode characters, after surrounding white space is cut.
#[derive(SimpleObject)]
struct Limits {
    /// The longest title.
    title_length: i32,
    /// The longest description.
    description_length: i32,
    /// The longest display name.
    name_length: i32,
    /// The largest page.
    page_size: i32,
    /// How deep a query may nest its fields.
    query_depth: i32,
    /// How much a query may cost: a field is 1, a connection its page size times its children.
    query_complexity: i32,
    /// How long a request's body may be, in bytes.
    request_bytes: i32,
}
