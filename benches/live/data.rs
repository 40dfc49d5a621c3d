//! The users, sessions and tasks of the benchmark, inserted by SQL, so that no password is hashed.

use chrono::TimeDelta;
use taskhold::auth::{RefreshToken, SigningSecret, Tokens};
use taskhold::domain::{Clock, User};
use uuid::Uuid;

use crate::support::{SECRET, ServerEnv, SqlSession};

/// The users. Each has one task, and the first of them have more. The last one misses changes.
pub const USERS: usize = 5_001;
/// The users with several tasks, and how many each of them has.
pub const OWNERS: usize = 100;
pub const TASKS_PER_OWNER: usize = 10;
/// The user of the catch-up.
pub const AWAY: usize = USERS - 1;
/// The changes that this user misses, each of another task.
pub const MISSED_CHANGES: usize = 10_000;

/// The id of a user and of the user's session.
pub fn id(user: usize) -> Uuid {
    task_id(user, 0)
}

/// The id of a user's task, from 0 to 9.
pub fn task_id(user: usize, task: usize) -> Uuid {
    Uuid::from_u128(((task as u128) << 96) + 0x4000_8000_0000_0000_0000 + user as u128)
}

/// `id` and `task_id` in SQL, for the user `n` and the task `t`.
const ID: &str = "('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";
const TASK_ID: &str = "('0000000' || t || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";

/// Creates the tables of taskhold and of the peer, and their rows.
pub fn prepare(url: &str) {
    let migrated = ServerEnv::on_url(url).run(&["migrate", "up"]);
    assert!(migrated.success, "{}", migrated.stderr);
    let last = USERS - 1;
    let tasks = format!(
        "FROM generate_series(0, {last}) n, generate_series(0, {TASKS_PER_OWNER} - 1) t WHERE n < {OWNERS} OR t = 0"
    );
    session(url).run(&format!(
        "INSERT INTO users (id, email, email_key, username, name, password_hash, created_at, updated_at)
             SELECT {ID}, 'u' || n || '@example.com', 'u' || n || '@example.com', 'u' || n, 'u' || n, '', now(), now()
             FROM generate_series(0, {last}) n;
         INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, refreshed_at)
             SELECT {ID}, {ID}, now(), now(), now() + interval '1 day', now() FROM generate_series(0, {last}) n;
         INSERT INTO tasks (id, owner_id, title, title_key, search_key, status, priority, created_at, updated_at,
                            version)
             SELECT {TASK_ID}, {ID}, '0', '0', '0', 'PENDING', 'MEDIUM', now(), now(), 1 {tasks};
         CREATE TABLE peer_tokens (token text PRIMARY KEY, owner_id uuid NOT NULL);
         INSERT INTO peer_tokens SELECT {ID}::text, {ID} FROM generate_series(0, {last}) n;
         CREATE TABLE peer_tasks (id uuid PRIMARY KEY, owner_id uuid NOT NULL, title text NOT NULL,
             status text NOT NULL, version integer NOT NULL, updated_at timestamptz NOT NULL);
         CREATE INDEX ON peer_tasks (owner_id, updated_at, id);
         INSERT INTO peer_tasks
             SELECT {TASK_ID}, {ID}, '0', 'PENDING', 1, clock_timestamp() {tasks};
         ANALYZE"
    ));
}

/// Inserts the changes that [`AWAY`] misses into the table of taskhold and into that of the peer.
pub fn insert_missed(url: &str) {
    let owner = id(AWAY);
    session(url).run(&format!(
        "INSERT INTO tasks (id, owner_id, title, title_key, search_key, status, priority, created_at, updated_at,
                            version)
             SELECT gen_random_uuid(), '{owner}', '1', '1', '1', 'PENDING', 'MEDIUM', now(), now(), 1
             FROM generate_series(1, {MISSED_CHANGES});
         INSERT INTO peer_tasks
             SELECT gen_random_uuid(), '{owner}', '1', 'PENDING', 1, clock_timestamp()
             FROM generate_series(1, {MISSED_CHANGES});
         ANALYZE"
    ));
}

fn session(url: &str) -> SqlSession {
    SqlSession::open(url).expect("the database accepts connections")
}

/// The access tokens of all users, as the server issues them.
pub fn access_tokens() -> Vec<String> {
    let secret = SigningSecret::new(SECRET.into()).expect("the secret is accepted");
    let tokens = Tokens::new(&secret.into(), TimeDelta::days(1));
    let now = Clock::default().now();
    let token = |user| {
        let refresh = RefreshToken { session_id: id(user), count: 0 };
        let user = User {
            id: id(user),
            email: format!("u{user}@example.com"),
            email_verified: false,
            username: format!("u{user}"),
            name: format!("u{user}"),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        tokens.issue(&user, refresh, now + TimeDelta::days(1), now).access_token
    };
    (0..USERS).map(token).collect()
}
