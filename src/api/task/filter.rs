//! The filter and the order of lists of tasks.

use std::collections::BTreeSet;

use async_graphql::{Enum, ID, InputObject};

use crate::api::scalar::{Bound, find_id};
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task::input::parse_labels;
use crate::domain::{
    self, DateField, DateRange, Error, Faults, Label, ListFilter, OrderField, OrderKey, Problem, Result,
    Rule, fold, normalize,
};

/// The maximum depth of nested `and`, `or` and `not`.
const MAX_DEPTH: usize = 5;
/// The maximum number of conditions of a filter, on all levels together.
const MAX_CONDITIONS: usize = 50;
const MAX_ORDER_KEYS: usize = 3;
/// The maximum number of words in the text of a filter.
const MAX_WORDS: usize = 50;
/// The maximum number of keys, numbers of phases or stories of one condition.
const MAX_TEXTS: usize = 1_000;

/// Conditions for tasks. A task matches if it meets all conditions that are present. A filter has at most 50
/// conditions, and its `and`, `or` and `not` are nested at most 5 deep.
#[derive(InputObject, Default)]
pub struct TaskFilter {
    /// The task matches all of these filters. An empty list matches every task.
    and: Option<Vec<TaskFilter>>,
    /// The task matches at least one of these filters. An empty list matches no task.
    or: Option<Vec<TaskFilter>>,
    /// The task does not match this filter.
    not: Option<Box<TaskFilter>>,
    /// true: the status is COMPLETED. false: the status is not COMPLETED.
    completed: Option<bool>,
    /// The status is one of these. An empty list matches no task.
    status: Option<Vec<TaskStatus>>,
    /// The priority is one of these. An empty list matches no task.
    priority: Option<Vec<TaskPriority>>,
    /// The task has all of these labels. Case is ignored. An empty list matches every task.
    labels: Option<Vec<String>>,
    /// Each word of this text is part of the title, the description, the objective or a label. Case is
    /// ignored. At most 50 words; each counts as one condition.
    text: Option<String>,
    /// The condition for dueAt.
    due_at: Option<DateTimeFilter>,
    /// The condition for createdAt.
    created_at: Option<DateTimeFilter>,
    /// The condition for updatedAt.
    updated_at: Option<DateTimeFilter>,
    /// The condition for completedAt.
    completed_at: Option<DateTimeFilter>,
    /// Whether the task belongs to any list.
    in_list: Option<bool>,
    /// The task belongs to the list with this id. An id that is none of the viewer's lists matches nothing.
    list_id: Option<ID>,
    /// The task has one of these keys. Keys are compared exactly as written. An empty list matches no task.
    key: Option<Vec<String>>,
    /// The task stands in a phase with one of these numbers. Numbers are compared exactly as written. An empty list
    /// matches no task.
    phase: Option<Vec<String>>,
    /// The task belongs to a story with one of these keys. Keys are compared exactly as written. An empty list
    /// matches no task.
    story: Option<Vec<String>>,
    /// Whether the task has the mark [P].
    parallel: Option<bool>,
}

/// A condition for a time. A time matches if it meets all fields that are present.
#[derive(InputObject)]
pub struct DateTimeFilter {
    /// The time is this or later.
    from: Option<Bound>,
    /// The time is earlier than this.
    before: Option<Bound>,
    /// true: the time is null. false: the time is not null.
    is_null: Option<bool>,
}

impl TaskFilter {
    /// The checked filter. Errors: Invalid.
    pub fn parse(self) -> Result<domain::TaskFilter> {
        let mut faults = Faults::of("filter");
        let mut conditions = 0;
        let filter = self.condition(&mut faults, 0, &mut conditions);
        if conditions > MAX_CONDITIONS {
            let message = format!("has {conditions} conditions; at most {MAX_CONDITIONS} are allowed");
            faults.push("", Problem::new(Rule::TooMany, message));
        }
        faults.finish(Some(filter))
    }

    fn condition(self, faults: &mut Faults, depth: usize, count: &mut usize) -> domain::TaskFilter {
        use domain::TaskFilter as Filter;
        if depth > MAX_DEPTH {
            // It counts as a condition, so that there are at most as many faults as conditions.
            *count += 1;
            if *count <= MAX_CONDITIONS {
                let message = format!("is nested more than {MAX_DEPTH} levels deep");
                faults.push("", Problem::new(Rule::TooMany, message));
            }
            return Filter::All(Vec::new());
        }
        let before = *count;
        let mut all = Vec::new();
        let mut nested = |name: &str, filters: Vec<Self>| -> Vec<Filter> {
            let inner = |(index, filter): (usize, Self)| {
                faults.within(name, |faults| {
                    faults.within(index, |faults| filter.condition(faults, depth + 1, count))
                })
            };
            filters.into_iter().enumerate().map(inner).collect()
        };
        all.extend(self.and.map(|filters| Filter::All(nested("and", filters))));
        all.extend(self.or.map(|filters| Filter::Any(nested("or", filters))));
        all.extend(self.not.map(|filter| {
            let inner = faults.within("not", |faults| filter.condition(faults, depth + 1, count));
            Filter::Not(Box::new(inner))
        }));

        let nested_count = all.len();
        all.extend(self.completed.map(|completed| {
            let filter = Filter::Status(vec![domain::TaskStatus::Completed]);
            if completed { filter } else { Filter::Not(Box::new(filter)) }
        }));
        all.extend(self.status.map(|any| Filter::Status(any.into_iter().map(Into::into).collect())));
        all.extend(self.priority.map(|any| Filter::Priority(any.into_iter().map(Into::into).collect())));
        all.extend(self.labels.map(|labels| {
            let labels = parse_labels(faults, "labels", &labels);
            Filter::Labels(labels.iter().map(Label::key).collect())
        }));
        let words = self.text.and_then(|text| faults.check("text", words(&text)));
        // Each word is a separate search.
        *count += words.as_ref().map_or(0, |words| words.len().saturating_sub(1));
        all.extend(words.map(Filter::Words));
        let dates = [
            (DateField::DueAt, self.due_at),
            (DateField::CreatedAt, self.created_at),
            (DateField::UpdatedAt, self.updated_at),
            (DateField::CompletedAt, self.completed_at),
        ];
        let present = dates.into_iter().filter_map(|(field, range)| range.map(|range| (field, range)));
        all.extend(present.map(|(field, range)| Filter::Date(field, range.into())));
        let (key, phase, story) = (self.key, self.phase, self.story);
        // Each value for stories is a separate search.
        *count += story.as_ref().map_or(0, |story| story.len().saturating_sub(1));
        let list = [
            self.in_list.map(ListFilter::Any),
            self.list_id.map(|id| ListFilter::Id(find_id(&id))),
            key.map(|any| ListFilter::Key(exact_texts(faults, "key", any))),
            phase.map(|any| ListFilter::Phase(exact_texts(faults, "phase", any))),
            story.map(|any| ListFilter::Story(exact_texts(faults, "story", any))),
            self.parallel.map(ListFilter::Parallel),
        ];
        all.extend(list.into_iter().flatten().map(Filter::List));
        *count += all.len() - nested_count;
        // An empty filter counts as one condition, so that empty filters are limited too.
        if *count == before {
            *count += 1;
        }
        Filter::All(all)
    }
}

/// The different texts of a list, compared as they are.
fn exact_texts(faults: &mut Faults, field: &str, texts: Vec<String>) -> BTreeSet<String> {
    if texts.len() > MAX_TEXTS {
        let message = format!("may have at most {MAX_TEXTS} values");
        faults.push(field, Problem::new(Rule::TooMany, message));
    }
    faults.within(field, |faults| {
        for (index, text) in texts.iter().enumerate() {
            // PostgreSQL cannot compare this character.
            if text.contains('\0') {
                let message = "must not contain the character U+0000";
                faults.within(index, |faults| faults.push("", Problem::new(Rule::Invalid, message)));
            }
        }
    });
    texts.into_iter().filter(|text| !text.contains('\n')).collect()
}

/// The different words of a search text.
fn words(text: &str) -> Result<BTreeSet<String>, Problem> {
    let words: BTreeSet<String> = fold(&normalize(text)?).split_whitespace().map(str::to_owned).collect();
    if words.len() > MAX_WORDS {
        return Err(Problem::new(Rule::TooMany, format!("may have at most {MAX_WORDS} words")));
    }
    Ok(words)
}

impl From<DateTimeFilter> for DateRange {
    fn from(filter: DateTimeFilter) -> Self {
        Self {
            from: filter.from.map(|at| at.0),
            before: filter.before.map(|at| at.0),
            is_null: filter.is_null,
        }
    }
}

/// One key of an order. A later key orders the tasks that are equal in all earlier keys.
#[derive(InputObject)]
pub struct TaskOrder {
    /// The field to order by.
    field: TaskOrderField,
    /// The direction of the order, by default ascending.
    #[graphql(default)]
    direction: OrderDirection,
    /// The position of tasks without a value, by default last.
    #[graphql(default)]
    nulls: NullsOrder,
}

impl TaskOrder {
    /// The keys of an order, by default `default`. Errors: Invalid with more than 3 keys.
    pub fn parse(order_by: Option<Vec<Self>>, default: OrderKey) -> Result<Vec<OrderKey>> {
        let order_by = order_by.unwrap_or_default();
        if order_by.len() > MAX_ORDER_KEYS {
            let mut faults = Faults::of("orderBy");
            let message = format!("may have at most {MAX_ORDER_KEYS} keys");
            faults.push("", Problem::new(Rule::TooMany, message));
            return Err(Error::Invalid(faults.into_found()));
        }
        if order_by.is_empty() {
            return Ok(vec![default]);
        }
        let keys = |order: Self| {
            let descending = order.direction == OrderDirection::Desc;
            let nulls_first = order.nulls == NullsOrder::First;
            let key = move |field| OrderKey { field, descending, nulls_first };
            order.field.columns().iter().copied().map(key)
        };
        Ok(order_by.into_iter().flat_map(keys).collect())
    }
}

/// A field that tasks can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum TaskOrderField {
    /// The time when the task was created.
    CreatedAt,
    /// The time of the last change of the task.
    UpdatedAt,
    /// The time when the task is due.
    DueAt,
    /// The time when the task last became COMPLETED.
    CompletedAt,
    /// The priority in the order LOW, MEDIUM, HIGH, CRITICAL.
    Priority,
    /// The status in the order PENDING, IN_PROGRESS, BLOCKED, COMPLETED.
    Status,
    /// The title in lower case, compared by Unicode code points.
    Title,
    /// By the id of the list, then by the place in its document. The value is null for a task that belongs to no
    /// list.
    Position,
}

impl TaskOrderField {
    /// The fields of the order that it stands for, the most significant first.
    fn columns(self) -> &'static [OrderField] {
        match self {
            Self::CreatedAt => &[OrderField::CreatedAt],
            Self::UpdatedAt => &[OrderField::UpdatedAt],
            Self::DueAt => &[OrderField::DueAt],
            Self::CompletedAt => &[OrderField::CompletedAt],
            Self::Priority => &[OrderField::Priority],
            Self::Status => &[OrderField::Status],
            Self::Title => &[OrderField::Title],
            Self::Position => &[OrderField::List, OrderField::ListPosition],
        }
    }
}

/// The direction of an order.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrderDirection {
    /// Ascending: the smallest or oldest value first.
    #[default]
    Asc,
    /// Descending: the largest or newest value first.
    Desc,
}

/// The position of tasks without a value in an order.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum NullsOrder {
    /// Before all other tasks, in both directions.
    First,
    /// After all other tasks, in both directions.
    #[default]
    Last,
}
