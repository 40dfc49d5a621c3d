//! Dependencies between tasks, what tasks wait for, and claims of tasks.

mod claim_ids;
mod claim_life;
mod claims;
mod contention;
mod dependencies;
mod dependency_cycles;
mod live;
mod merging;
mod paths;
mod readiness;
mod seed_list;
mod settings;
mod support;
mod waiting;
mod workers;
