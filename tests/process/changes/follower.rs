//! A client that keeps a copy of its user's tasks by reading pages of changes.

use std::collections::BTreeMap;

use crate::process::changes::random::Random;
use crate::support::{Client, Server, Value, json};

const FIELDS: &str = "id title status version deletedAt risks { id }";

/// A copy of the tasks, and the cursor at its end.
#[derive(Clone, Default)]
pub struct Copy {
    pub tasks: BTreeMap<String, Value>,
    pub cursor: Option<String>,
}

/// Reads pages, stops, and continues from earlier copies.
pub struct Follower<'a> {
    servers: &'a [Server],
    clients: Vec<Client>,
    token: &'a str,
    random: Random,
    pub copy: Copy,
    saved: Vec<Copy>,
    /// The ids and versions that were received, a new list after each return to an earlier copy.
    pub received: Vec<Vec<(String, i64)>>,
    /// The tasks that were received although the copy had the same or a higher version.
    pub repeated: Vec<Value>,
}

impl<'a> Follower<'a> {
    pub fn new(servers: &'a [Server], token: &'a str, seed: u64) -> Self {
        Self {
            servers,
            clients: servers.iter().map(Server::connect).collect(),
            token,
            random: Random::new(seed),
            copy: Copy::default(),
            saved: Vec::new(),
            received: vec![Vec::new()],
            repeated: Vec::new(),
        }
    }

    /// Reads a page of 1 to 20 changes from one of the servers, and sometimes saves the copy or returns to a saved
    /// one. Returns whether there are more changes.
    pub fn step(&mut self) -> bool {
        match self.random.below(12) {
            0 => self.saved.push(self.copy.clone()),
            1 if !self.saved.is_empty() => {
                self.copy = self.random.pick(&self.saved).clone();
                self.received.push(Vec::new());
                let number = self.random.below(self.servers.len());
                self.clients[number] = self.servers[number].connect();
            }
            _ => {}
        }
        self.read_page()
    }

    /// Reads until there are no more changes.
    pub fn finish(&mut self) {
        while self.read_page() {}
    }

    fn read_page(&mut self) -> bool {
        let query = format!(
            "query($after: String, $first: Int) {{ taskChanges(after: $after, first: $first) {{
                 changes {{ taskId version task {{ {FIELDS} }} }} cursor hasMore }} }}"
        );
        let variables = json!({ "after": self.copy.cursor, "first": 1 + self.random.below(20) });
        let number = self.random.below(self.clients.len());
        let response = self.clients[number].post(self.token, &query, &variables).json();
        let page = &response["data"]["taskChanges"];
        for change in page["changes"].as_array().unwrap_or_else(|| panic!("no page: {response:#}")) {
            let (id, version) = (text(&change["taskId"]), number_of(&change["version"]));
            let before = self.copy.tasks.insert(id.clone(), change["task"].clone());
            if before.is_some_and(|before| number_of(&before["version"]) >= version) {
                self.repeated.push(change.clone());
            }
            self.received.last_mut().expect("there is always a list").push((id, version));
        }
        self.copy.cursor = Some(text(&page["cursor"]));
        page["hasMore"] == true
    }
}

/// All tasks of a user by the lists of the server, those in the trash included.
pub fn listed(server: &Server, token: &str) -> BTreeMap<String, Value> {
    let (mut client, mut all) = (server.connect(), BTreeMap::new());
    for list in ["tasks", "trash"] {
        let query = format!(
            "query($after: String) {{ {list}(first: 100, after: $after) {{
                 nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let mut after = Value::Null;
        loop {
            let page = client.post(token, &query, &json!({ "after": after })).json()["data"][list].take();
            let nodes = page["nodes"].as_array().expect("a page").iter();
            all.extend(nodes.map(|task| (text(&task["id"]), task.clone())));
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
    all
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number_of(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}
