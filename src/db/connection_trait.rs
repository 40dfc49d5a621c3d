//! SeaORM's connection trait for the types that run statements.

/// Implements [`ConnectionTrait`](sea_orm::ConnectionTrait) with the methods `backend` and `run` of a type.
macro_rules! impl_connection_trait {
    ($ty:ty) => {
        const _: () = {
            use sea_orm::entity::prelude::async_trait;
            use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

            #[async_trait::async_trait]
            impl ConnectionTrait for $ty {
                fn get_database_backend(&self) -> DbBackend {
                    self.backend()
                }

                async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                    Ok(self.run(&statement).await?.exec_result)
                }

                async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                    self.execute_raw(Statement::from_string(self.backend(), sql)).await
                }

                async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                    Ok(self.run(&statement).await?.rows.into_iter().next())
                }

                async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                    Ok(self.run(&statement).await?.rows)
                }
            }
        };
    };
}
pub(super) use impl_connection_trait;
