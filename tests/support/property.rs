//! Property tests: runs a test on random cases and shrinks a failing one.

use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};
use serde_json::Value;

/// The time limit for shrinking a failing case.
const SHRINK_LIMIT: Duration = Duration::from_secs(120);

/// Runs a test on random cases and shrinks the first that fails. The cases are the same in every run unless
/// PROPTEST_RNG_SEED is set; PROPTEST_CASES sets their number.
pub async fn for_all<S: Strategy>(cases: u32, strategy: S, test: impl AsyncFn(S::Value) -> TestCaseResult) {
    let mut config = Config::default();
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(20261121);
    }
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    let seed = config.rng_seed;
    println!("PROPTEST_RNG_SEED={seed} PROPTEST_CASES={cases} repeats this run");
    let shrinks = config.max_shrink_iters;
    let mut runner = TestRunner::new(config);
    for case in 0..cases {
        let mut tree = strategy.new_tree(&mut runner).expect("a case can be generated");
        let (mut failure, started) = (None, Instant::now());
        for shrink in 0.. {
            let simpler = match test(tree.current()).await {
                Ok(()) if failure.is_none() => break,
                Ok(()) => tree.complicate(),
                Err(error) => {
                    failure = Some((tree.current(), error));
                    tree.simplify()
                }
            };
            if !simpler || shrink >= shrinks || started.elapsed() > SHRINK_LIMIT {
                break;
            }
        }
        if let Some((smallest, error)) = failure {
            panic!("case {case} of seed {seed} fails; shrunk to {smallest:?}: {error}");
        }
    }
}

/// A JSON object of the members that have a value.
pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Value {
    members.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}
