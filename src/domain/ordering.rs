//! Positions in an ordered list: numbers with gaps, so that an item can be inserted without renumbering the
//! list. When a gap is used up, only as few neighbours as possible move.

/// The distance between two items that are added one after the other.
const GAP: i64 = 1 << 32;
/// The minimum distance after a rebalancing. It allows at least twenty more insertions between two
/// neighbours.
const MIN_GAP: i64 = 1 << 20;

/// The result of an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub position: i64,
    /// The neighbours that move: their index in the list and their new position.
    pub moved: Vec<(usize, i64)>,
}

/// The position of the item with this index in a new list.
pub fn nth(index: usize) -> i64 {
    index as i64 * GAP
}

/// The position after the last item of a list that is only appended to.
pub fn after(last: Option<i64>) -> i64 {
    last.map_or(0, |last| last.saturating_add(GAP))
}

/// The position of an item that is inserted before `index` in a list with ascending positions.
pub fn insert(positions: &[i64], index: usize) -> Placement {
    let (before, after) = (index.checked_sub(1).map(|before| positions[before]), positions.get(index));
    let position = match (before, after) {
        (None, None) => Some(0),
        (Some(before), None) => before.checked_add(GAP),
        (None, Some(after)) => after.checked_sub(GAP),
        (Some(before), Some(after)) => (after - before >= 2).then(|| before + (after - before) / 2),
    };
    match position {
        Some(position) => Placement { position, moved: Vec::new() },
        None => rebalance(positions, index),
    }
}

/// The positions of a list in which some items have positions already. They keep them if they are in ascending order
/// and leave enough space for the others; otherwise each item gets a new one.
pub fn fill(old: &[Option<i64>]) -> Vec<i64> {
    kept(old).unwrap_or_else(|| (0..old.len()).map(nth).collect())
}

/// The positions of [`fill`] if the old ones can be kept.
fn kept(old: &[Option<i64>]) -> Option<Vec<i64>> {
    let mut filled: Vec<i64> = Vec::with_capacity(old.len());
    while filled.len() < old.len() {
        let (before, from) = (filled.last().copied(), filled.len());
        let count = old[from..].iter().take_while(|position| position.is_none()).count() as i64;
        let after = old.get(from + count as usize).copied().flatten();
        let (first, step) = match (before, after) {
            (Some(before), Some(after)) => {
                let step = after.checked_sub(before)? / (count + 1);
                (before.checked_add(step)?, step)
            }
            (Some(before), None) => (before.checked_add(GAP)?, GAP),
            (None, Some(after)) => (after.checked_sub(count.checked_mul(GAP)?)?, GAP),
            (None, None) => (0, GAP),
        };
        if step < 1 {
            return None;
        }
        for index in 0..count {
            filled.push(first.checked_add(index.checked_mul(step)?)?);
        }
        filled.extend(after);
    }
    Some(filled)
}

/// Spaces the nearest neighbours evenly, as few of them as leave a distance of [`MIN_GAP`].
fn rebalance(positions: &[i64], index: usize) -> Placement {
    let mut reach = 1;
    loop {
        let (from, to) = (index.saturating_sub(reach), (index + reach).min(positions.len()));
        // The neighbours and the new item.
        let count = (to - from) as i64 + 1;
        let width = (count + 1) * GAP;
        let (low, high) = match (from.checked_sub(1).map(|before| positions[before]), positions.get(to)) {
            (Some(low), Some(&high)) => (Some(low), Some(high)),
            (Some(low), None) => (Some(low), low.checked_add(width)),
            (None, Some(&high)) => (high.checked_sub(width), Some(high)),
            (None, None) => (Some(0), Some(width)),
        };
        if let (Some(low), Some(high)) = (low, high) {
            let step = high.saturating_sub(low) / (count + 1);
            if step >= MIN_GAP {
                let spread = |rank: usize| low + (rank as i64 + 1) * step;
                let moved = (from..to).map(|old| (old, spread(old - from + usize::from(old >= index))));
                return Placement { position: spread(index - from), moved: moved.collect() };
            }
        }
        reach *= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The list after an insertion, and the number of items that moved.
    fn inserted(positions: &[i64], index: usize) -> (Vec<i64>, usize) {
        let Placement { position, moved } = insert(positions, index);
        let mut list = positions.to_vec();
        moved.iter().for_each(|&(at, position)| list[at] = position);
        list.insert(index, position);
        (list, moved.len())
    }

    fn grows(list: &[i64]) -> bool {
        list.is_sorted_by(|a, b| a < b)
    }

    proptest! {
        #[test]
        fn insertions_keep_the_order(indexes in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut list = Vec::new();
            for index in indexes {
                let index = index.index(list.len() + 1);
                list = inserted(&list, index).0;
                prop_assert!(grows(&list), "{list:?}");
            }
        }

        #[test]
        fn filled_positions_ascend_and_keep_old_ones_in_order(
            old in prop::collection::vec(prop::option::of(-50..50_i64), 0..40)
        ) {
            let filled = fill(&old);
            prop_assert!(filled.len() == old.len() && grows(&filled), "{filled:?}");
            let wide: Vec<Option<i64>> =
                (0..).zip(&old).map(|(index, old)| old.map(|_| nth(index))).collect();
            let kept = fill(&wide);
            prop_assert!(grows(&kept) && wide.iter().zip(&kept).all(|(old, kept)| old.is_none_or(|old| old == *kept)));
        }

        #[test]
        fn insertions_into_lists_without_gaps_keep_the_order(first in -1000..1000_i64, length in 1..500_usize, index in any::<prop::sample::Index>()) {
            let list: Vec<i64> = (0..length as i64).map(|index| first + index).collect();
            let (list, _) = inserted(&list, index.index(length + 1));
            prop_assert!(grows(&list), "{list:?}");
        }

        #[test]
        fn insertions_at_the_limits_of_i64_keep_the_order(at_the_top in any::<bool>()) {
            let list = if at_the_top { [0, i64::MAX - 1] } else { [i64::MIN + 1, 0] };
            let (list, _) = inserted(&list, if at_the_top { 2 } else { 0 });
            prop_assert!(grows(&list), "{list:?}");
        }
    }

    /// The worst case: each insertion is into the same gap.
    #[test]
    fn repeated_insertions_into_one_gap_move_few_items() {
        let mut list: Vec<i64> = (0..250).map(nth).collect();
        let (mut moved, mut most) = (0, 0);
        for _ in 0..250 {
            let (next, count) = inserted(&list, 125);
            assert!(grows(&next));
            (list, moved, most) = (next, moved + count, most.max(count));
        }
        assert!(moved < 250 && most < 100, "{moved} items moved, at most {most} by one insertion");
    }
}
