//! How much memory values take that were read from the database, about.

use crate::domain::{ChecklistItem, FileChange, Risk, Task};

/// Beside its texts: the value itself, and what the allocator adds.
const FRAME_BYTES: usize = 256;

/// A value whose memory is counted.
pub trait MemorySize {
    /// In bytes.
    fn memory_size(&self) -> usize;
}

impl MemorySize for Task {
    fn memory_size(&self) -> usize {
        let details = &self.details;
        let texts = [&self.description, &details.owner_label, &details.objective, &details.rationale];
        let labels: usize =
            self.labels.as_slice().iter().map(|label| label.len() + size_of::<String>()).sum();
        2 * FRAME_BYTES
            + self.title.len()
            + labels
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl MemorySize for ChecklistItem {
    fn memory_size(&self) -> usize {
        FRAME_BYTES + self.text.len()
    }
}

impl MemorySize for Risk {
    fn memory_size(&self) -> usize {
        FRAME_BYTES + self.description.len() + self.mitigation.as_ref().map_or(0, String::len)
    }
}

impl MemorySize for FileChange {
    fn memory_size(&self) -> usize {
        FRAME_BYTES + self.path.len()
    }
}
