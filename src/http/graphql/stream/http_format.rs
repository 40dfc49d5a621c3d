//! The two types of HTTP streams: the text of their events, of a keepalive and of their end.

use async_graphql::{Response, ServerError};
use axum::http::HeaderValue;

use crate::graphql::JsonChunks;
use crate::http::graphql::accept::Accept;
use crate::http::graphql::json::{add_errors, add_response};

/// The type of an HTTP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFormat {
    /// text/event-stream, as the "distinct connections mode" of graphql-sse defines it.
    EventStream,
    /// multipart/mixed, as Apollo Client defines it for subscriptions.
    Multipart,
}

impl HttpFormat {
    /// The type that the client prefers; None when it names neither.
    pub fn negotiate(accept: &Accept) -> Option<Self> {
        let weight = |media_type| accept.exact(media_type).unwrap_or(0.0);
        let (events, parts) = (weight("text/event-stream"), weight(Accept::MULTIPART_SUBSCRIPTION));
        if events > 0.0 && events >= parts {
            Some(Self::EventStream)
        } else {
            (parts > 0.0).then_some(Self::Multipart)
        }
    }

    /// The name in the log and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::EventStream => "event-stream",
            Self::Multipart => "multipart",
        }
    }

    /// The value of the Content-Type header.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\"",
        })
    }

    /// What comes before the first part.
    pub fn beginning(self) -> &'static [u8] {
        match self {
            Self::EventStream => b"",
            Self::Multipart => b"--graphql",
        }
    }

    /// A result. The cursor at its end is that of an event.
    pub fn next(self, text: Vec<u8>, response: Response, cursor: Option<&str>) -> JsonChunks {
        let (mut chunks, Response { errors, data, .. }) = (JsonChunks::new(text), response);
        match self {
            Self::EventStream => {
                let id = cursor.map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
                chunks.text().extend_from_slice(format!("event: next\n{id}data: ").as_bytes());
                add_response(&mut chunks, &errors, data);
                chunks.text().extend_from_slice(b"\n\n");
            }
            Self::Multipart => {
                chunks.text().extend_from_slice(PART_HEAD);
                chunks.text().extend_from_slice(b"{\"payload\":");
                add_response(&mut chunks, &errors, data);
                chunks.text().push(b'}');
                chunks.text().extend_from_slice(PART_END);
            }
        }
        chunks
    }

    /// The errors that end a stream, without the end itself.
    pub fn failure(self, text: &mut Vec<u8>, errors: &[ServerError]) {
        match self {
            Self::EventStream => {
                text.extend_from_slice(b"event: next\ndata: {\"errors\":");
                add_errors(text, errors);
                text.extend_from_slice(b"}\n\n");
            }
            Self::Multipart => {
                text.extend_from_slice(PART_HEAD);
                text.extend_from_slice(b"{\"payload\":null,\"errors\":");
                add_errors(text, errors);
                text.push(b'}');
                text.extend_from_slice(PART_END);
            }
        }
    }

    /// What tells the client that the stream is complete.
    pub fn end(self) -> &'static [u8] {
        match self {
            // Not a space after the colon: the parser of urql fails on it.
            Self::EventStream => b"event: complete\ndata:\n\n",
            Self::Multipart => b"--\r\n",
        }
    }

    /// What is sent when there are no events.
    pub fn keepalive(self) -> &'static [u8] {
        match self {
            Self::EventStream => b":\n\n",
            Self::Multipart => b"\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql",
        }
    }
}

/// What comes between a delimiter and the content of a part.
const PART_HEAD: &[u8] = b"\r\ncontent-type: application/json\r\n\r\n";
/// The delimiter after a part. It is sent together with the part, since clients show a part only when they
/// have its end.
const PART_END: &[u8] = b"\r\n--graphql";
