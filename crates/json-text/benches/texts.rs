//! Measures texts and instants beside the libraries that write the same: `cargo bench -p json-text`. The ratio
//! of the two times of a pair in one run is what this crate saves.

use std::hint::black_box;

use chrono::{DateTime, SecondsFormat};
use criterion::Criterion;
use json_text::{Precision, write_instant, write_text};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let clean = "What this task is about, in a line or two of text. ".repeat(4);
    for (name, text) in [("text", clean.clone()), ("text with line breaks", clean.replace(". ", ".\n"))] {
        let mut json = Vec::with_capacity(1024);
        criterion.bench_function(&format!("{name}, json-text"), |bencher| {
            bencher.iter(|| {
                json.clear();
                write_text(black_box(&text), &mut json);
            });
        });
        criterion.bench_function(&format!("{name}, serde_json"), |bencher| {
            bencher.iter(|| {
                json.clear();
                serde_json::to_writer(&mut json, black_box(&text)).expect("memory can be written to");
            });
        });
    }
    let instant = DateTime::from_timestamp_millis(1_795_000_000_123).expect("it is in range");
    let mut json = Vec::with_capacity(64);
    criterion.bench_function("instant, json-text", |bencher| {
        bencher.iter(|| {
            json.clear();
            write_instant(black_box(instant), Precision::Milliseconds, &mut json);
        });
    });
    criterion.bench_function("instant, chrono", |bencher| {
        bencher.iter(|| black_box(instant).to_rfc3339_opts(SecondsFormat::Millis, true));
    });
    criterion.final_summary();
}
