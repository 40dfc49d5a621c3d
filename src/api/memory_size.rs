//! How much memory values take that were read from the database, about.

use crate::domain::{ChecklistItem, FileChange, Risk, Task};

/// Beside its texts: the value itself, and what the allocator adds.
const FRAME_BYTES: usize = 256;

/// A value whose memory is counted.
pub trait Weight {
    /// In bytes.
    fn weight(&self) -> usize;
}

impl Weight for Task {
    fn weight(&self) -> usize {
        let brief = &self.brief;
        let texts = [&self.description, &brief.owner_label, &brief.objective, &brief.rationale];
        let labels: usize =
            self.labels.as_slice().iter().map(|label| label.len() + size_of::<String>()).sum();
        2 * FRAME_BYTES
            + self.title.len()
            + labels
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl Weight for ChecklistItem {
    fn weight(&self) -> usize {
        FRAME_BYTES + self.text.len()
    }
}

impl Weight for Risk {
    fn weight(&self) -> usize {
        FRAME_BYTES + self.description.len() + self.mitigation.as_ref().map_or(0, String::len)
    }
}

impl Weight for FileChange {
    fn weight(&self) -> usize {
        FRAME_BYTES + self.path.len()
    }
}
