//! Content negotiation (RFC 9110, 12.5.1): the weights that a client gives to media types.

use axum::http::{HeaderMap, header};

/// The media ranges of all Accept headers with their weights.
pub struct Accept(Vec<(String, f32)>);

impl Accept {
    /// The name of multipart/mixed with the parameter subscriptionSpec=1.0: the type is used for other
    /// purposes too.
    pub const MULTIPART_SUBSCRIPTION: &str = "multipart/mixed;subscriptionspec=1.0";

    /// Parses the Accept headers of a request; invalid values are ignored.
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).filter_map(media_range).collect())
    }

    /// Whether there is no media range, so that every media type is acceptable.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The weight of a media type by the most specific range that matches it; 0 if none does.
    pub fn weight(&self, media_type: &str) -> f32 {
        self.exact(media_type).or_else(|| self.by_wildcard(media_type)).unwrap_or(0.0)
    }

    /// The weight of a media type that is listed without a wildcard.
    pub fn exact(&self, media_type: &str) -> Option<f32> {
        self.weight_of_range(media_type)
    }

    fn by_wildcard(&self, media_type: &str) -> Option<f32> {
        let (family, _) = media_type.split_once('/')?;
        self.weight_of_range(&format!("{family}/*")).or_else(|| self.weight_of_range("*/*"))
    }

    fn weight_of_range(&self, range: &str) -> Option<f32> {
        self.0.iter().find(|(given, _)| given == range).map(|(_, weight)| *weight)
    }
}

fn media_range(item: &str) -> Option<(String, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let mut range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let mut weight = None;
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("q") {
            weight.get_or_insert(value.parse::<f32>().unwrap_or(0.0));
        } else if name.eq_ignore_ascii_case("subscriptionSpec") && value.trim_matches('"') == "1.0" {
            range.push_str(";subscriptionspec=1.0");
        }
    }
    Some((range, weight.unwrap_or(1.0).clamp(0.0, 1.0)))
}
