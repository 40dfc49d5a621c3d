//! Prints the figures of taskhold and of the peer side by side.

/// Prints the heads of the columns.
pub fn head() {
    line("", &["taskhold".to_owned(), "peer".to_owned()]);
}

/// Prints the name of a group of rows.
pub fn group(name: &str) {
    println!("\n{name}");
}

/// Prints a figure of each result; of the peer none if it was not measured.
pub fn row<T>(name: &str, results: &[T], figure: impl Fn(&T) -> String) {
    let figures: Vec<String> = results.iter().map(figure).collect();
    line(&format!("  {name}"), &figures);
}

fn line(name: &str, figures: &[String]) {
    let peer = figures.get(1).map_or("-", String::as_str);
    println!("{name:<46} {:>32} {peer:>32}", figures[0]);
}
