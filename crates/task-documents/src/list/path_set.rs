//! Sets of paths that are compared with other paths: a folder overlaps everything in it.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::list::paths::is_folder;

/// A set of paths.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    paths: BTreeSet<String>,
    /// Those that name a folder.
    folders: BTreeSet<String>,
}

impl PathSet {
    /// Adds a path.
    pub fn insert(&mut self, path: &str) {
        let path = plain(path);
        if is_folder(&path) || path.is_empty() {
            self.folders.insert(path.clone());
        }
        self.paths.insert(path);
    }

    /// Whether a path is equal to one of the set, is in a folder of the set, or is a folder with one of them in it.
    pub fn overlaps(&self, path: &str) -> bool {
        let path = plain(path);
        if self.paths.contains(&path) || self.is_in_folder(&path) {
            return true;
        }
        let mut behind = self.paths.range::<str, _>((Bound::Included(path.as_str()), Bound::Unbounded));
        (is_folder(&path) || path.is_empty()) && behind.next().is_some_and(|next| next.starts_with(&path))
    }

    /// Whether a folder of the set is around a path. A folder that sorts between this one and the path begins with it, so
    /// the search goes on at what the last folder before the path shares with it.
    fn is_in_folder(&self, path: &str) -> bool {
        let mut end = path;
        while let Some(folder) =
            self.folders.range::<str, _>((Bound::Unbounded, Bound::Included(end))).next_back()
        {
            if path.starts_with(folder.as_str()) {
                return true;
            }
            let shared = folder.bytes().zip(path.bytes()).take_while(|(one, other)| one == other).count();
            end = &path[..path.floor_char_boundary(shared)];
        }
        false
    }
}

impl<P: AsRef<str>> Extend<P> for PathSet {
    fn extend<I: IntoIterator<Item = P>>(&mut self, paths: I) {
        for path in paths {
            self.insert(path.as_ref());
        }
    }
}

impl<P: AsRef<str>> FromIterator<P> for PathSet {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        let mut set = Self::default();
        set.extend(paths);
        set
    }
}

/// The path with `/` only, and without `/` and `./` at its beginning. The folder that holds all others is empty.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut rest = path.as_str();
    while let Some(next) = rest.strip_prefix('/').or_else(|| rest.strip_prefix("./")) {
        rest = next;
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_overlap_if_they_are_equal_or_one_is_a_folder_around_the_other() {
        for (first, second, expected) in [
            ("src/a.rs", "src/a.rs", true),
            ("src/a.rs", "src/b.rs", false),
            ("src/", "src/a.rs", true),
            ("src/", "src/b/c.rs", true),
            ("src/b/", "src/b/", true),
            ("src/b/", "src/", true),
            ("src/", "src", false),
            ("src", "src/a.rs", false),
            ("src/a", "src/ab", false),
            ("./src/a.rs", "src\\a.rs", true),
            ("/src/a.rs", "src/a.rs", true),
            ("\\src\\", ".\\src\\a.rs", true),
            ("Src/a.rs", "src/a.rs", false),
            ("/", "a.rs", true),
            ("./", "src/", true),
            ("a//b", "a/", true),
            ("a/b", "a//b", false),
        ] {
            for (first, second) in [(first, second), (second, first)] {
                let set: PathSet = ["x/y.rs", first].into_iter().collect();
                assert_eq!(set.overlaps(second), expected, "{first} {second}");
            }
        }
        assert!(!PathSet::default().overlaps("/"));
    }

    #[test]
    fn a_folder_is_found_behind_others_that_sort_between() {
        let set: PathSet = ["a/", "a/b/c/", "a/b/x.rs", "b/\u{e9}/"].into_iter().collect();
        for (path, expected) in [
            ("a/b/d.rs", true),
            ("a/b/c/d.rs", true),
            ("a!", false),
            ("b/\u{e8}/a", false),
            ("b/\u{e9}/a", true),
            ("b/", true),
            ("c", false),
        ] {
            assert_eq!(set.overlaps(path), expected, "{path}");
        }
    }
}
