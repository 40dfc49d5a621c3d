//! Content negotiation (RFC 9110, 12.5.1): which of the offered media types a client likes best.

use axum::http::{HeaderMap, header};

/// The media ranges of all Accept headers with their weights.
pub struct Accept(Vec<(String, f32)>);

impl Accept {
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).filter_map(media_range).collect())
    }

    /// Whether nothing was said: everything is welcome.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The weight of a media type, by the most specific range that covers it; 0 when none does.
    pub fn weight(&self, media_type: &str) -> f32 {
        self.exact(media_type).or_else(|| self.by_wildcard(media_type)).unwrap_or(0.0)
    }

    /// The weight of a media type that is named itself.
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
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
    });
    Some((range, weight.unwrap_or(1.0).clamp(0.0, 1.0)))
}
