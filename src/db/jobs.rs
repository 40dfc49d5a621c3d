//! Marks the tasks of background jobs, so that tests can tell their statements from those of requests.

tokio::task_local! {
    static IS_JOB: ();
}

/// The future as a part of a background job. Tasks that it spawns are not marked.
pub fn as_job<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    IS_JOB.scope((), future)
}

/// Whether a background job is running.
pub fn is_job() -> bool {
    IS_JOB.try_with(|()| ()).is_ok()
}
