//! Hostile documents and bodies against the running program: it does not crash, responds within a time limit
//! with an error or a small response, and its memory grows little.

mod corpus;
mod fairness;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Server, ServerEnv, json};
use corpus::Case;

/// The time limit of a response. It is far above the expected time, even without optimisation on a busy
/// machine. `-- --nocapture adversarial` shows the times; TASKHOLD_BIN selects another build of the program.
const MAX_LATENCY: Duration = Duration::from_secs(2);
/// The limit for the growth of the process: several times the largest body and its response.
const MAX_MEMORY_GROWTH_BYTES: usize = 100 << 20;

/// The resident memory of the process in bytes.
#[cfg(target_os = "linux")]
fn resident_bytes(server: &Server) -> usize {
    let status =
        fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the process is running");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the status contains VmRSS");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes(_: &Server) -> usize {
    0
}

/// The requests that send a document: by POST, as a persisted query and, if it fits, by GET.
fn requests_of((name, document): Case) -> Vec<Case> {
    let text = String::from_utf8_lossy(&document).into_owned();
    let post = json!({ "query": text }).to_string().into_bytes();
    let hash = json!({ "version": 1, "sha256Hash": "0".repeat(64) });
    let persisted =
        json!({ "query": text, "extensions": { "persistedQuery": hash } }).to_string().into_bytes();
    let mut requests = vec![(name.clone(), posted(post)), (format!("{name} (persisted)"), posted(persisted))];
    let url: String = document.iter().map(|byte| format!("%{byte:02x}")).collect();
    if url.len() < 60_000 {
        requests.push((
            format!("{name} (GET)"),
            format!("GET /graphql?query={url} HTTP/1.1\r\nhost: test\r\n").into_bytes(),
        ));
    }
    requests
}

/// The bytes of a POST request without a token.
fn posted(body: Vec<u8>) -> Vec<u8> {
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    [head.as_bytes(), b"\r\n", &body].concat()
}

fn with_token(request: &[u8], token: &str) -> Vec<u8> {
    let line = request.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    let mut all = request.to_vec();
    all.splice(line..line, format!("authorization: Bearer {token}\r\n").into_bytes());
    if all.starts_with(b"GET") {
        all.extend(b"\r\n");
    }
    all
}

/// Documents that a fuzzer found, each in a file.
fn findings() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adversarial/findings");
    let files = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|file| file.expect("the entry can be read").path());
    files.map(|file| (format!("finding {}", file.display()), fs::read(&file).expect("a file"))).collect()
}

#[test]
fn hostile_requests_cost_little_time_and_memory() {
    let server = ServerEnv::new()
        .with("LIMIT_LOGIN_FAILURES", "0")
        .with("LIMIT_CREDENTIALS_PER_MINUTE", "0")
        .start(&[]);
    let token = server.register("ann");
    for n in 0..5 {
        let create = "mutation($t: String!) { createTask(input: { title: $t }) { task { id } } }";
        assert_eq!(server.post(&token, create, &json!({ "t": format!("task {n}") })).status, 200);
    }
    let documents = corpus::documents().into_iter().chain(findings());
    let mut requests: Vec<Case> = documents.flat_map(requests_of).collect();
    requests.extend(corpus::bodies().into_iter().map(|(name, body)| (name, posted(body))));

    let before = resident_bytes(&server);
    let (mut times, mut largest) = (Vec::new(), before);
    for (name, request) in &requests {
        let bytes = with_token(request, &token);
        let mut client = server.connect();
        let started = Instant::now();
        // The server may refuse a request because of its length without reading it completely.
        let _ = client.try_send(&bytes);
        let response = client.read_response();
        let elapsed = started.elapsed();
        assert!(elapsed < MAX_LATENCY, "{name} took {elapsed:?}");
        assert!(
            response.status < 500 && response.body.len() < 1 << 20,
            "{name}: {} {}",
            response.status,
            response.body.len()
        );
        // Documents far beyond a limit must not be executed.
        let is_beyond = ["bytes of nested", "9000 ", " of 9000"].iter().any(|sign| name.contains(sign));
        assert!(!is_beyond || response.body.contains("\"errors\""), "{name}: {}", response.body);
        times.push((elapsed, name));
        largest = largest.max(resident_bytes(&server));
    }
    let grown = largest.saturating_sub(before);
    times.sort_unstable_by(|a, b| b.cmp(a));
    println!(
        "{} requests; memory {} to {} MiB at most; the slowest:",
        times.len(),
        before >> 20,
        largest >> 20
    );
    for (elapsed, name) in &times[..10] {
        println!("{:6.1} ms  {name}", elapsed.as_secs_f64() * 1e3);
    }
    assert!(grown < MAX_MEMORY_GROWTH_BYTES, "the process grew by {grown} bytes");
    assert_eq!(
        server.post(&token, "{ tasks { totalCount } }", &json!({})).json()["data"]["tasks"]["totalCount"],
        5
    );
    assert!(!server.stop().contains("panicked"));
}
