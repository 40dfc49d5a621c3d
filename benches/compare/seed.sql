insert into users (id, email, email_key, username, name, password_hash, is_active, created_at, updated_at)
  select id, email, lower(email), username, name, password_hash, is_active, created_at, updated_at from bench_gen.users(:users);
insert into tasks (id, owner_id, title, title_key, search_key, description, status, priority, due_at, completed_at, created_at, updated_at, version)
  select id, user_id, title, lower(title), lower(title) || E'\n' || lower(coalesce(description, '')) || E'\n', description,
         case status when 'DONE' then 'COMPLETED' when 'TODO' then 'PENDING' else status end,
         case priority when 'URGENT' then 'CRITICAL' else priority end,
         due_at, case when status = 'DONE' then updated_at end, created_at, updated_at, 1
  from bench_gen.tasks(:users, :tasks);
