//! Estimates of the memory that values from the database take.

use crate::domain::{ChecklistItem, FileChange, Risk, Task};

/// The size of a value without its texts, including the overhead of the allocator.
const OVERHEAD_BYTES: usize = 256;

/// A value whose memory is counted in the response budget.
pub trait MemorySize {
    /// The estimated memory in bytes.
    fn memory_size(&self) -> usize;
}

impl MemorySize for Task {
    fn memory_size(&self) -> usize {
        let details = &self.details;
        let texts = [&self.description, &details.owner_label, &details.objective, &details.rationale];
        let labels: usize =
            self.labels.as_slice().iter().map(|label| label.len() + size_of::<String>()).sum();
        let entry = self.entry.as_ref().map_or(0, |entry| {
            let stories: usize = entry.stories.iter().map(|story| story.len() + size_of::<String>()).sum();
            OVERHEAD_BYTES
                + entry.key.len()
                + entry.text.len()
                + entry.details.as_ref().map_or(0, String::len)
                + stories
        });
        2 * OVERHEAD_BYTES
            + entry
            + self.title.len()
            + labels
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl MemorySize for ChecklistItem {
    fn memory_size(&self) -> usize {
        OVERHEAD_BYTES + self.text.len()
    }
}

impl MemorySize for Risk {
    fn memory_size(&self) -> usize {
        OVERHEAD_BYTES + self.description.len() + self.mitigation.as_ref().map_or(0, String::len)
    }
}

impl MemorySize for FileChange {
    fn memory_size(&self) -> usize {
        OVERHEAD_BYTES + self.path.len()
    }
}
