//! Directed graphs: their strongly connected components, and which edges complete no cycle.

/// How many edges may be followed to decide which of a graph's edges complete a cycle. Only graphs that are made
/// to be slow need more. Then each further edge that contradicts the order found so far is refused.
const MAX_STEPS: usize = 2_000_000;
/// Stands for a node that has not been visited.
const UNSEEN: usize = usize::MAX;

/// A graph whose nodes are numbered from 0. The edges of a node keep their order.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    starts: Vec<usize>,
    targets: Vec<usize>,
}

/// The strongly connected components of a graph.
#[derive(Clone, Debug)]
pub struct Components {
    /// For each node, the number of its component.
    pub of: Vec<usize>,
    /// For each node, its place in an order in which targets come first, except in cycles.
    ranks: Vec<usize>,
}

impl Graph {
    /// A graph with this number of nodes and these edges.
    pub fn new(nodes: usize, edges: &[(usize, usize)]) -> Self {
        let mut starts = vec![0; nodes + 1];
        for (from, _) in edges {
            starts[from + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let (mut next, mut targets) = (starts.clone(), vec![0; edges.len()]);
        for (from, to) in edges {
            targets[next[*from]] = *to;
            next[*from] += 1;
        }
        Self { starts, targets }
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The targets of the edges of a node.
    pub fn targets(&self, node: usize) -> &[usize] {
        &self.targets[self.starts[node]..self.starts[node + 1]]
    }

    #[cfg(test)]
    /// Whether a node is another one or reaches it over edges.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        let mut is_seen = vec![false; self.nodes()];
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == to {
                return true;
            }
            if !std::mem::replace(&mut is_seen[node], true) {
                open.extend(self.targets(node).iter().filter(|target| !is_seen[**target]));
            }
        }
        false
    }

    /// Finds the strongly connected components, by the algorithm of Tarjan.
    pub fn components(&self) -> Components {
        let nodes = self.nodes();
        let unseen = || vec![UNSEEN; nodes];
        let components = Components { of: unseen(), ranks: unseen() };
        let mut search = Search {
            graph: self,
            components,
            entered: unseen(),
            lowest: unseen(),
            stack: Vec::new(),
            path: Vec::new(),
            counts: (0, 0, 0),
        };
        for node in 0..nodes {
            if search.entered[node] == UNSEEN {
                search.run(node);
            }
        }
        search.components
    }
}

/// A search for components in progress.
struct Search<'g> {
    graph: &'g Graph,
    components: Components,
    /// When each node was entered.
    entered: Vec<usize>,
    /// The earliest entry of a node without a component that each node is known to reach.
    lowest: Vec<usize>,
    /// The nodes without a component.
    stack: Vec<usize>,
    /// The nodes from the start to the present one, each with the number of its edges that have been followed.
    path: Vec<(usize, usize)>,
    /// How many nodes were entered, how many were left, and how many components there are.
    counts: (usize, usize, usize),
}

impl Search<'_> {
    fn run(&mut self, start: usize) {
        self.enter(start);
        while let Some((node, followed)) = self.path.last_mut() {
            let node = *node;
            let Some(target) = self.graph.targets(node).get(*followed).copied() else {
                self.leave(node);
                continue;
            };
            *followed += 1;
            if self.entered[target] == UNSEEN {
                self.enter(target);
            } else if self.components.of[target] == UNSEEN {
                self.lowest[node] = self.lowest[node].min(self.entered[target]);
            }
        }
    }

    fn enter(&mut self, node: usize) {
        (self.entered[node], self.lowest[node]) = (self.counts.0, self.counts.0);
        self.counts.0 += 1;
        self.stack.push(node);
        self.path.push((node, 0));
    }

    fn leave(&mut self, node: usize) {
        self.path.pop();
        self.components.ranks[node] = self.counts.1;
        self.counts.1 += 1;
        if let Some((parent, _)) = self.path.last() {
            self.lowest[*parent] = self.lowest[*parent].min(self.lowest[node]);
        }
        if self.lowest[node] == self.entered[node] {
            while let Some(member) = self.stack.pop() {
                self.components.of[member] = self.counts.2;
                if member == node {
                    break;
                }
            }
            self.counts.2 += 1;
        }
    }
}

/// For each edge, whether it can be added to those before it that could be added, without completing a cycle.
pub fn without_cycles(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let components = Graph::new(nodes, edges).components();
    let can_be_in_cycle = |from: usize, to: usize| components.of[from] == components.of[to];
    if !edges.iter().any(|(from, to)| can_be_in_cycle(*from, *to)) {
        return vec![true; edges.len()];
    }
    let mut order = Order::new(components.ranks.clone());
    edges.iter().map(|(from, to)| !can_be_in_cycle(*from, *to) || order.add(*from, *to)).collect()
}

/// An order of the nodes of a graph without cycles, in which the target of each edge comes before its start. An
/// edge that contradicts the order moves only nodes between its two ends (the algorithm of Pearce and Kelly).
struct Order {
    ranks: Vec<usize>,
    targets: Vec<Vec<usize>>,
    starts: Vec<Vec<usize>>,
    /// The last search that visited each node.
    visits: Vec<usize>,
    searches: usize,
    steps_left: usize,
}

impl Order {
    fn new(ranks: Vec<usize>) -> Self {
        let nodes = ranks.len();
        let none = || vec![Vec::new(); nodes];
        let (targets, starts) = (none(), none());
        Self { ranks, targets, starts, visits: vec![0; nodes], searches: 0, steps_left: MAX_STEPS }
    }

    /// Adds an edge. False if it would complete a cycle.
    fn add(&mut self, from: usize, to: usize) -> bool {
        let (low, high) = (self.ranks[from], self.ranks[to]);
        if low <= high && !self.reorder(from, to, low..=high) {
            return false;
        }
        self.targets[from].push(to);
        self.starts[to].push(from);
        true
    }

    fn reorder(&mut self, from: usize, to: usize, ranks: std::ops::RangeInclusive<usize>) -> bool {
        let Some(mut below) = self.search(to, from, true, &ranks) else { return false };
        let Some(mut above) = self.search(from, to, false, &ranks) else { return false };
        below.sort_unstable_by_key(|node| self.ranks[*node]);
        above.sort_unstable_by_key(|node| self.ranks[*node]);
        below.append(&mut above);
        let mut free: Vec<usize> = below.iter().map(|node| self.ranks[*node]).collect();
        free.sort_unstable();
        for (node, rank) in below.into_iter().zip(free) {
            self.ranks[node] = rank;
        }
        true
    }

    /// The nodes between these ranks that are reached from `start`, over edges or against them. None if
    /// `other` is reached, or if too many edges have been followed.
    fn search(
        &mut self,
        start: usize,
        other: usize,
        along: bool,
        ranks: &std::ops::RangeInclusive<usize>,
    ) -> Option<Vec<usize>> {
        self.searches += 1;
        let (mut found, mut next) = (vec![start], 0);
        self.visits[start] = self.searches;
        while let Some(node) = found.get(next).copied() {
            next += 1;
            if node == other {
                return None;
            }
            let nodes = if along { &self.targets[node] } else { &self.starts[node] };
            self.steps_left = self.steps_left.checked_sub(nodes.len() + 1)?;
            for node in nodes {
                if ranks.contains(&self.ranks[*node]) && self.visits[*node] != self.searches {
                    self.visits[*node] = self.searches;
                    found.push(*node);
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges() -> impl Strategy<Value = Vec<(usize, usize)>> {
        proptest::collection::vec((0..8_usize, 0..8_usize), 0..40)
    }

    #[test]
    fn a_long_cycle_loses_its_last_edge_only() {
        let cycle: Vec<_> = (0..5_000).map(|node| (node, (node + 1) % 5_000)).collect();
        for edges in [cycle.clone(), cycle.iter().rev().copied().collect()] {
            let added = without_cycles(5_000, &edges);
            assert_eq!(added.iter().position(|is_added| !is_added), Some(4_999));
        }
    }

    #[test]
    fn many_edges_between_few_nodes_leave_no_cycle() {
        // The numbers need not be random, only spread.
        let edge = |number: usize| ((number * 7_919) % 2_003, (number * number * 31 + number) % 2_003);
        let edges: Vec<_> = (0..50_000).map(edge).collect();
        let added = edges.iter().zip(without_cycles(2_003, &edges)).filter(|(_, is_added)| *is_added);
        let added: Vec<_> = added.map(|(edge, _)| *edge).collect();
        let mut components = Graph::new(2_003, &added).components().of;
        components.sort_unstable();
        components.dedup();
        assert_eq!((components.len(), added.len() > 10_000), (2_003, true));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nodes_of_one_component_reach_each_other(edges in edges()) {
            let graph = Graph::new(8, &edges);
            let components = graph.components();
            for (first, second) in (0..8).flat_map(|first| (0..8).map(move |second| (first, second))) {
                let both = graph.reaches(first, second) && graph.reaches(second, first);
                prop_assert_eq!(components.of[first] == components.of[second], both);
            }
        }

        #[test]
        fn an_edge_is_added_unless_it_completes_a_cycle_with_earlier_ones(edges in edges()) {
            let mut added: Vec<(usize, usize)> = Vec::new();
            for ((from, to), is_added) in edges.iter().zip(without_cycles(8, &edges)) {
                prop_assert_eq!(is_added, !Graph::new(8, &added).reaches(*to, *from));
                if is_added {
                    added.push((*from, *to));
                }
            }
        }
    }
}
