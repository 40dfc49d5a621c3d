//! Places in an ordered list: numbers with gaps, so that something can be put between two others
//! without numbering the list anew. When a gap is used up, only as many neighbours move as it takes.

/// The distance between two things that are put one after the other.
const GAP: i64 = 1 << 32;
/// The least distance that moved neighbours get: room for twenty more between each two.
const MIN_GAP: i64 = 1 << 20;

/// Where something comes to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub position: i64,
    /// Those that make room: their index in the list and their new position.
    pub moved: Vec<(usize, i64)>,
}

/// The position of the `index`th thing of a new list.
pub fn nth(index: usize) -> i64 {
    index as i64 * GAP
}

/// The position after the last one of a list that is only added to.
pub fn after(last: Option<i64>) -> i64 {
    last.map_or(0, |last| last.saturating_add(GAP))
}

/// Places something before the `index`th of a list, whose positions grow.
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

/// Spreads the nearest neighbours evenly, as few of them as there is room for.
fn rebalance(positions: &[i64], index: usize) -> Placement {
    let mut reach = 1;
    loop {
        let (from, to) = (index.saturating_sub(reach), (index + reach).min(positions.len()));
        // One more than there are: the new one stands among them.
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

    /// The list after an insertion, and how many had to move.
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
        fn the_order_holds_wherever_something_is_put(places in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut list = Vec::new();
            for place in places {
                let index = place.index(list.len() + 1);
                list = inserted(&list, index).0;
                prop_assert!(grows(&list), "{list:?}");
            }
        }

        #[test]
        fn the_order_holds_in_lists_without_gaps(first in -1000..1000_i64, length in 1..500_usize, place in any::<prop::sample::Index>()) {
            let list: Vec<i64> = (0..length as i64).map(|index| first + index).collect();
            let (list, _) = inserted(&list, place.index(length + 1));
            prop_assert!(grows(&list), "{list:?}");
        }

        #[test]
        fn the_ends_of_the_numbers_are_no_end(at_the_top in any::<bool>()) {
            let list = if at_the_top { [0, i64::MAX - 1] } else { [i64::MIN + 1, 0] };
            let (list, _) = inserted(&list, if at_the_top { 2 } else { 0 });
            prop_assert!(grows(&list), "{list:?}");
        }
    }

    /// The worst that can be done: always into the same gap.
    #[test]
    fn putting_things_into_one_gap_for_ever_moves_few_of_the_others() {
        let mut list: Vec<i64> = (0..250).map(nth).collect();
        let (mut moved, mut most) = (0, 0);
        for _ in 0..250 {
            let (next, count) = inserted(&list, 125);
            assert!(grows(&next));
            (list, moved, most) = (next, moved + count, most.max(count));
        }
        assert!(moved < 250 && most < 100, "{moved} moved, {most} at once");
    }
}
