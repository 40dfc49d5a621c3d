//! Hostile documents and bodies against the running program: it stays the same process, answers each soon
//! with a refusal or a small answer, and keeps little memory.

mod corpus;
mod fairness;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Place, Server, json};
use corpus::Case;

/// Far above what is to be expected even of a build without optimisation on a busy machine: what goes
/// wrong here takes for ever. `-- --nocapture hostile` shows the times; with TASKHOLD_BIN the program of
/// another build is asked.
const SOON: Duration = Duration::from_secs(2);
/// What the largest body and its answer take, several times.
const MORE_MEMORY: usize = 100 << 20;

/// What the process holds of the machine's memory, in bytes.
#[cfg(target_os = "linux")]
fn resident(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the system tells");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

#[cfg(not(target_os = "linux"))]
fn resident(_: &Server) -> usize {
    0
}

/// The requests of a document, by each of the ways in.
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

/// The bytes of a request, but for the empty line after its head, where the token goes.
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

/// What a fuzzer found, each in a file.
fn findings() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adversarial/findings");
    let files =
        fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("it can be read").path());
    files.map(|file| (format!("finding {}", file.display()), fs::read(&file).expect("a file"))).collect()
}

#[test]
fn whatever_is_sent_costs_little() {
    let server =
        Place::new().with("LIMIT_LOGIN_FAILURES", "0").with("LIMIT_CREDENTIALS_PER_MINUTE", "0").start(&[]);
    let token = server.register("ann");
    for n in 0..5 {
        let create = "mutation($t: String!) { createTask(input: { title: $t }) { task { id } } }";
        assert_eq!(server.post(&token, create, &json!({ "t": format!("task {n}") })).status, 200);
    }
    let documents = corpus::documents().into_iter().chain(findings());
    let mut requests: Vec<Case> = documents.flat_map(requests_of).collect();
    requests.extend(corpus::bodies().into_iter().map(|(name, body)| (name, posted(body))));

    let before = resident(&server);
    let (mut times, mut largest) = (Vec::new(), before);
    for (name, request) in &requests {
        let bytes = with_token(request, &token);
        let mut client = server.connect();
        let started = Instant::now();
        // What is refused for its length need not be read to its end.
        let _ = client.try_send(&bytes);
        let reply = client.reply();
        let took = started.elapsed();
        assert!(took < SOON, "{name} took {took:?}");
        assert!(
            reply.status < 500 && reply.body.len() < 1 << 20,
            "{name}: {} {}",
            reply.status,
            reply.body.len()
        );
        // What is far beyond a limit must not have been run.
        let is_beyond = ["bytes of nested", "9000 ", " of 9000"].iter().any(|sign| name.contains(sign));
        assert!(!is_beyond || reply.body.contains("\"errors\""), "{name}: {}", reply.body);
        times.push((took, name));
        largest = largest.max(resident(&server));
    }
    let grown = largest.saturating_sub(before);
    times.sort_unstable_by(|a, b| b.cmp(a));
    println!(
        "{} requests; memory {} to {} MiB at most; the slowest:",
        times.len(),
        before >> 20,
        largest >> 20
    );
    for (took, name) in &times[..10] {
        println!("{:6.1} ms  {name}", took.as_secs_f64() * 1e3);
    }
    assert!(grown < MORE_MEMORY, "it grew by {grown} bytes");
    assert_eq!(
        server.post(&token, "{ tasks { totalCount } }", &json!({})).json()["data"]["tasks"]["totalCount"],
        5
    );
    assert!(!server.stop().contains("panicked"));
}
