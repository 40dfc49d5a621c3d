//! Which checklist items stand beside each other, and which of them stay in their place in an export.

use super::values::{Item, Section};

/// The children of each checklist item.
pub(super) struct Siblings {
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

impl Siblings {
    /// Only an ACTION item can have children. An item with another parent counts as one without a parent.
    pub(super) fn of(items: &[Item]) -> Self {
        let is_top_level = |item: &Item| item.section == Section::Action && item.parent.is_none();
        let parent = |(index, item): (usize, &Item)| {
            let parent = item.parent.filter(|parent| *parent < index && item.section == Section::Action)?;
            is_top_level(&items[parent]).then_some(parent)
        };
        let parents: Vec<_> = items.iter().enumerate().map(parent).collect();
        let mut children = vec![Vec::new(); items.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(index);
            }
        }
        Self { parents, children }
    }

    /// The items of a section without a parent.
    pub(super) fn top_level(&self, items: &[Item], section: Section) -> impl Iterator<Item = usize> {
        (0..items.len())
            .filter(move |index| self.parents[*index].is_none() && items[*index].section == section)
    }

    /// The children of an item.
    pub(super) fn children(&self, parent: usize) -> &[usize] {
        &self.children[parent]
    }
}

/// Which of these positions stay: a longest increasing sequence. None is the position of a new element.
pub(super) fn longest_increasing(positions: &[Option<usize>]) -> Vec<bool> {
    // For each length: the index at which an increasing sequence of this length ends with the least value.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = vec![None; positions.len()];
    for (index, position) in positions.iter().enumerate() {
        let Some(position) = position else { continue };
        let length = ends.partition_point(|end| positions[*end].is_some_and(|end| end < *position));
        previous[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut stays = vec![false; positions.len()];
    let mut next = ends.last().copied();
    while let Some(index) = next {
        stays[index] = true;
        next = previous[index];
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_increasing_sequence_stays() {
        let cases: [(&[Option<usize>], &[usize]); 5] = [
            (&[], &[]),
            (&[Some(0), Some(1), Some(2)], &[0, 1, 2]),
            (&[Some(2), Some(0), None, Some(1)], &[1, 3]),
            (&[Some(1), Some(1)], &[1]),
            (&[Some(3), Some(4), Some(0), Some(5), Some(1)], &[0, 1, 3]),
        ];
        for (positions, expected) in cases {
            let stays = longest_increasing(positions);
            let found: Vec<_> = (0..positions.len()).filter(|index| stays[*index]).collect();
            assert_eq!(found, expected, "{positions:?}");
        }
    }
}
