//! The origins of the tasks of the new source, and how the lines of carried tasks are written.

/// The origin of a task of the new source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The index of a task of the file.
    File(usize),
    /// The index of a task of the list that the file does not have.
    Carried(usize),
}

impl Slot {
    pub(super) fn carried(self) -> Option<usize> {
        match self {
            Self::File(_) => None,
            Self::Carried(index) => Some(index),
        }
    }
}

/// How the lines of tasks that only the server has are written into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The lines are as in the old source if their neighbour stands in the same column as there, and
    /// otherwise indented as the neighbour.
    AsWritten,
    /// The lines have the indentation and the bullet of their neighbour. In a file without tasks, a blank line is
    /// before them, which stays when they are left out of an export.
    LikeNeighbour,
    /// The lines stand at the beginning of the file, for files in which they would not be read at their
    /// place. An example is a file that ends in an HTML comment without an end.
    AtBeginning,
}
